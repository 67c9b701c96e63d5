#!/usr/bin/env bash
# What a container of the image runs. Spark on Kubernetes starts it with `driver ...` or `executor` and hands the rest
# over in variables (https://spark.apache.org/docs/latest/running-on-kubernetes.html); the pyspark wheel has no such
# script. Anything else is a command: `winnow run ...`, `spark-submit ...`, `bash`.
set -euo pipefail

# Hadoop refuses a user without a name, which is what a uid chosen by the platform or by `docker run --user` is.
if ! getent passwd "$(id -u)" >/dev/null && [ -w /etc/passwd ]; then
    echo "winnow-$(id -u):x:$(id -u):0::/home/winnow:/usr/sbin/nologin" >>/etc/passwd
fi

case "${1:-}" in
driver)
    shift
    exec "$SPARK_HOME/bin/spark-submit" --deploy-mode client \
        --conf "spark.driver.bindAddress=$SPARK_DRIVER_BIND_ADDRESS" \
        --conf "spark.executorEnv.SPARK_DRIVER_POD_IP=$SPARK_DRIVER_BIND_ADDRESS" "$@"
    ;;
executor)
    # The JVM's options come one a variable, SPARK_JAVA_OPT_0, SPARK_JAVA_OPT_1, ...; their order matters.
    options=()
    for ((i = 0; ; i++)); do
        name="SPARK_JAVA_OPT_$i"
        [ -n "${!name+set}" ] || break
        options+=("${!name}")
    done
    class_path="${SPARK_CONF_DIR:-$SPARK_HOME/conf}:$SPARK_HOME/jars/*:${SPARK_EXTRA_CLASSPATH:-}"
    exec java "${options[@]}" -Xms"$SPARK_EXECUTOR_MEMORY" -Xmx"$SPARK_EXECUTOR_MEMORY" -cp "$class_path" \
        org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
        --driver-url "$SPARK_DRIVER_URL" \
        --executor-id "$SPARK_EXECUTOR_ID" \
        --cores "$SPARK_EXECUTOR_CORES" \
        --app-id "$SPARK_APPLICATION_ID" \
        --hostname "$SPARK_EXECUTOR_POD_IP" \
        --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" \
        --podName "$SPARK_EXECUTOR_POD_NAME"
    ;;
*)
    exec "$@"
    ;;
esac
