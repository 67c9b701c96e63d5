"""The distribution `chat-winnow`: four plain packages and the console script `winnow`.

WINNOW_SPARK=3.5 in the environment pins Spark 3.5 and Spark NLP instead of Spark 4.1: Spark NLP has no build for Spark
4 that can be fetched (0080).
"""

import os
import re
from pathlib import Path

from setuptools import find_packages, setup

VERSION = re.search(r'^VERSION = "(.+)"', Path("conf/__init__.py").read_text(encoding="utf-8"), re.M)[1]

SPARK = {
    "4.1": [
        "pyspark==4.1.2",  # the wheel, Delta's wheel and Delta's jar must match
        "delta-spark==4.4.0",
        "pandas==3.1.1",
        "numpy==2.4.6",
    ],
    "3.5": [
        "pyspark==3.5.9",
        "delta-spark==3.3.3",
        "pandas==2.3.3",  # Spark 3.5 does not know the string type of pandas 3
        "numpy==2.3.5",
        "spark-nlp==5.5.3",  # `winnow linguistics`; its jars are fetched by `winnow doctor --fetch-jars`
    ],
}[os.environ.get("WINNOW_SPARK", "4.1")]

NAMES = "spacy==3.8.18"  # finds people's names with a pipeline that the user brings

SPARK_TESTS = [
    "zstandard==0.25.0",  # test input
    NAMES,
    "setuptools>=69",  # app.zip is the wheel, built without network
    "wheel",
    # From here on the newest of a line will do: no row of a table depends on what tests and checks run with.
    "pytest==9.*",
    "pytest-xdist==3.*",  # two files of tests at a time
    "hypothesis==6.*",
]

setup(
    name="chat-winnow",
    version=VERSION,
    description="Chat logs to a fine-tuning dataset you can trust, and that dataset to a LoRA adapter",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",  # pycld2 has no wheel for 3.14
    packages=find_packages(include=["conf", "conf.*", "udfs", "udfs.*", "jobs", "jobs.*", "training", "training.*"]),
    package_data={
        "conf": ["*.yaml", "train/*.yaml", "keywords/*.txt", "spark/*", "deepspeed/*.json"],
        "udfs": ["trigrams.bin", "spelling.npz"],
        "training": ["templates/*.jinja", "slurm/*", "web/*"],
    },
    # One version each: driver, executors and the next run must make the same bytes of the same text.
    install_requires=[
        *SPARK,
        "pyarrow==26.0.1",
        "deltalake==1.6.6",  # reads versions without a JVM
        "pydantic==2.14.4",  # the settings tree
        "PyYAML==6.0.4",  # recipes, with line numbers
        "orjson==3.13.0",  # strict JSON, fast
        "numba==0.68.1",  # near-duplicate kernels and the JSON scanner
        "ftfy==6.3.1",  # mojibake
        "markdownify==1.2.3",  # scraped pages to Markdown
        "beautifulsoup4==4.15.0",  # what markdownify reads with; buttons and code headers are taken out first
        "phonenumbers==9.0.43",  # the numbering plan of each country, for PII
        "cryptography==50.0.2",  # AES-SIV, which seals what pseudonyms stand for
        "pyahocorasick==2.3.1",  # keyword lists
        "pycld2==0.42",  # language of short texts, a second opinion
        "tokenizers==0.23.3",  # training's, and counts tokens of long conversations by the user's own tokenizer.json
        "tqdm==4.70.1",  # progress bar
        "xxhash==3.8.2",  # row numbers as Spark's xxhash64 gives them, where Spark does not see the rows
    ],
    extras_require={
        "train": [
            "torch==2.15.0",
            "transformers==5.23.0",
            "peft==0.21.2",
            "accelerate==1.15.0",
            "deepspeed==0.19.8",  # a source package; DS_BUILD_OPS=0 keeps pip from compiling its kernels
            "safetensors==0.8.0",
            "jinja2==3.1.6",
            "psutil==7.*",  # names of the network interfaces; accelerate and DeepSpeed need it anyway
            # What shows a run or answers for an adapter changes neither: the newest of a line will do.
            "tensorboard==2.*",
            "fastapi==0.165.*",  # winnow serve: what transformers' own server is made of
            "uvicorn==0.54.*",
            "openai==3.*",
        ],
        "names": [NAMES],
        "spark-test": SPARK_TESTS,
        "test": [
            *SPARK_TESTS,
            "playwright==1.*",  # drives the system's Chromium
            "mlflow-skinny==3.*",  # what a run reports to MLflow, in a database of SQLite
            "sqlalchemy==2.*",
            "alembic==1.*",
            "ruff==0.17.*",
            "mypy==2.*",
            "import-linter==2.*",
        ],
    },
    entry_points={"console_scripts": ["winnow=jobs.cli:main"]},
)
