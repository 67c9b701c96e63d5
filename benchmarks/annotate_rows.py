"""Edits and masks as naive Spark code: one plain Python UDF a rule, its function called on one text after the other.

Those are the rules that are Python functions of a text, and a user would call them so. Facts, language, keywords and
quality are left out: they are kernels on columns, and a call on one row would mostly compile their patterns anew, which
nobody would write. So what this takes is less than naive code for all of annotate would. It is a favourable case too:
every rule gets the text as received, so that none waits for another, and each UDF returns no text but yes or no.
"""

from collections.abc import Callable

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType

from udfs import pii, rules
from udfs.annotation import Plan
from udfs.repair import Edit

Rule = Callable[[list[str], list[str]], bool]
"""Roles and contents of a conversation -> whether there is something to do."""


def columns(plan: Plan) -> list[Column]:
    """A column of ``conversations_raw`` for each edit and mask of the plan, named as the rule is."""
    return [_column(name, rule) for name, rule in rules_of(plan).items()]


def rules_of(plan: Plan) -> dict[str, Rule]:
    """Each edit and mask of the plan by its name."""
    edits = {edit.name: _edit(edit, plan) for edit in rules.EDITS if edit.name in plan.edits}
    return {**edits, **{pii.PREFIX + name: _mask(name) for name in plan.pii}}


def _column(name: str, rule: Rule) -> Column:
    plain = F.udf(lambda roles, contents: rule(roles, contents), BooleanType())  # hints of lists are no hints to Spark
    return plain("messages.role", "messages.content").alias(name)


def _edit(edit: Edit, plan: Plan) -> Rule:
    apply = edit.repair(plan.options).apply

    def rule(roles: list[str], contents: list[str]) -> bool:
        own = [text for role, text in zip(roles, contents, strict=True) if not edit.roles or role in edit.roles]
        return [apply(text) for text in own] != own

    return rule


def _mask(name: str) -> Rule:
    return lambda _, contents: sum(len(pii.find(text, (name,))) for text in contents) > 0
