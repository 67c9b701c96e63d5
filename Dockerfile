# Two images: one for Spark's driver and executors (the last stage), so that both have the same Python, kernels and jars,
# and one for training nodes (stage `train`), with torch and without Java and Spark.
#
#   make image                                    (docker; ENGINE=podman or ENGINE=buildah for the others)
#   make train-image
#   docker run --rm winnow winnow doctor
#   docker run --rm --user "$(id -u):0" -v "$PWD:/data" winnow winnow run --config smoke --input sample --lake lake
#
# Any base with apt and Python 3.11 to 3.13 will do: Debian 12, Ubuntu 24.04, python:3.11-slim-bookworm. Debian 13 has no
# Java 17; there add --build-arg JAVA_PACKAGE=openjdk-21-jre-headless.
ARG BASE_IMAGE=debian:bookworm-slim

FROM ${BASE_IMAGE} AS train

# g++ because torch.compile and DeepSpeed's optional kernels build themselves on first use; CUDA's libraries come with
# torch, its driver with the node.
RUN set -eu; lacking=""; \
    python3 -c 'import ensurepip, venv' 2>/dev/null || lacking="python3 python3-venv python3-dev"; \
    command -v g++ >/dev/null || lacking="$lacking g++"; \
    command -v tini >/dev/null || lacking="$lacking tini"; \
    if [ -n "$lacking" ]; then \
        apt-get update -qq; \
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $lacking; \
        rm -rf /var/lib/apt/lists/*; \
    fi
RUN python3 -m venv /opt/winnow
ENV PATH=/opt/winnow/bin:$PATH DS_BUILD_OPS=0 HF_HUB_OFFLINE=1 NUMBA_CACHE_DIR=/tmp/numba

# As below: dependencies first, all of setup.py's but Spark.
WORKDIR /build
COPY setup.py pyproject.toml ./
COPY conf/__init__.py conf/
RUN pip install --no-cache-dir --no-deps . && python -c 'import re; from importlib.metadata import requires; \
    print(*(need.split(";")[0] for need in requires("chat-winnow") \
    if re.search("extra == .train.|^[^;]*$", need) and not re.match("pyspark|delta-spark", need)), sep="\n")' > needed.txt \
    && pip install --no-cache-dir -r needed.txt

COPY . .
RUN pip install --no-cache-dir --no-deps --force-reinstall .

# An image that cannot place a run, or lacks a library of the job, is not built. With --after the lake is not looked at:
# there is none here.
RUN winnow submit --scheduler slurm --nodes 2 --gpus-per-node 8 --config zephyr-7b-lora --lake lake --pin baseline \
        --out run --after 1 --dry-run > /tmp/train.sbatch \
    && bash -n /tmp/train.sbatch && rm /tmp/train.sbatch \
    && DS_ACCELERATOR=cpu python -c 'import training.adapter, training.loop, training.serve, deepspeed'

WORKDIR /data
ENTRYPOINT ["tini", "-s", "--"]
CMD ["winnow", "train", "--help"]


FROM ${BASE_IMAGE}

ARG JAVA_PACKAGE=openjdk-17-jre-headless

# Install only what the base lacks: on python:3.11-slim Debian's own Python would be a second one.
# tini is the first process: it passes SIGTERM on and buries Python workers whose parent was killed.
RUN set -eu; lacking=""; \
    command -v java >/dev/null || lacking="$JAVA_PACKAGE"; \
    python3 -c 'import ensurepip, venv' 2>/dev/null || lacking="$lacking python3 python3-venv"; \
    command -v tini >/dev/null || lacking="$lacking tini"; \
    if [ -n "$lacking" ]; then \
        apt-get update -qq; \
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $lacking; \
        rm -rf /var/lib/apt/lists/*; \
    fi

# Spark's own images run as uid 185 and what is written about Spark on Kubernetes (volumes, security contexts) assumes
# it. The group is root's because platforms that choose a uid of their own choose that group; the entrypoint gives such
# a uid a name, which Hadoop insists on.
RUN useradd --uid 185 --gid 0 --create-home --home-dir /home/winnow winnow \
    && chmod g+rwx /home/winnow && chmod g+w /etc/passwd

# A virtual environment, because Debian's Python refuses system-wide pip.
RUN python3 -m venv /opt/winnow
ENV PATH=/opt/winnow/bin:/opt/spark/bin:$PATH \
    PYSPARK_PYTHON=/opt/winnow/bin/python \
    PYSPARK_DRIVER_PYTHON=/opt/winnow/bin/python \
    SPARK_HOME=/opt/spark \
    WINNOW_JARS=/opt/winnow/jars \
    NUMBA_CACHE_DIR=/var/cache/winnow

# The dependencies (most of the image) are a layer of their own: a change of our code does not fetch them again.
WORKDIR /build
COPY setup.py pyproject.toml ./
COPY conf/__init__.py conf/
RUN pip install --no-cache-dir .

COPY . .
RUN pip install --no-cache-dir --no-deps --force-reinstall .

# Short paths that do not name the Python version: SPARK_HOME is the pyspark package, jobs are for spark-submit
# (local:///opt/winnow/jobs/ingest.py).
RUN site=$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') \
    && ln -s "$site/pyspark" /opt/spark \
    && ln -s "$site/jobs" /opt/winnow/jobs \
    && mkdir /opt/spark/conf \
    && cp conf/spark/log4j2.properties conf/spark/spark-env.sh /opt/spark/conf/ \
    && install -m 755 conf/spark/entrypoint.sh /opt/winnow/entrypoint.sh

# Delta's jars are fetched now, so that no start of the image needs a network; linked into Spark's class path, so that
# no spark-submit needs to name them. Some builders give a step a host name that does not resolve, where Spark stops:
# hence the two variables.
RUN export SPARK_LOCAL_IP=127.0.0.1 SPARK_LOCAL_HOSTNAME=localhost \
    && winnow doctor --fetch-jars && ln -s "$WINNOW_JARS"/*.jar /opt/spark/jars/

# Compiled kernels: written by whoever runs the image.
RUN install -d -o 185 -g 0 -m 775 "$NUMBA_CACHE_DIR" && install -d -o 185 -g 0 -m 775 /data

USER 185
WORKDIR /data

# A tiny run of the whole chain: an image that cannot do its work is not built, and the kernels are compiled here, once
# for machines with this CPU, instead of by every executor at its start.
RUN export SPARK_LOCAL_IP=127.0.0.1 SPARK_LOCAL_HOSTNAME=localhost \
    && winnow doctor --trial && chmod -R g+w "$NUMBA_CACHE_DIR"

ENTRYPOINT ["tini", "-s", "--", "/opt/winnow/entrypoint.sh"]
CMD ["winnow", "--help"]
