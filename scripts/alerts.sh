#!/bin/bash
# alerts.sh: the alert rules of deploy/prometheus as an object of Prometheus' operator. The suite `platform` compares:
#
#   scripts/alerts.sh >k8s/components/monitoring/alerts.yaml
set -euo pipefail

cat <<'HEAD'
# Made of deploy/prometheus/alerts.yml by scripts/alerts.sh.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: { name: walletwire }
spec:
HEAD
sed -n '/^groups:/,$s/^/  /p' "$(dirname "$0")/../deploy/prometheus/alerts.yml"
