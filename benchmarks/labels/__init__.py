"""How often is a label right, and how often is it missing? One module for each kind of rule, against labelled data."""
