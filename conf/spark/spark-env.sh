# Read by spark-submit, pyspark and spark-class when SPARK_CONF_DIR is this folder.

# Java says on every start that Spark uses the incubating vector module; no option of Java's turns that line off.
set +o posix
exec 2> >(exec grep -v --line-buffered '^WARNING: Using incubator modules: jdk.incubator.vector$' >&2)
