"""The daemon's /metrics."""

from prometheus_client.parser import text_string_to_metric_families


def metrics(client):
    """{name: {labels: value}} as Prometheus' own parser reads them, which refuses what is not well formed."""
    answer = client.ask("GET", "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    found = {}
    for family in text_string_to_metric_families(answer.body.decode()):
        assert family.documentation and family.type in ("gauge", "counter", "histogram"), family
        for sample in family.samples:
            assert sample.labels not in [other for _, other in found.setdefault(sample.name, [])]
            found[sample.name].append((sample.value, sample.labels))
    return {name: {next((value for label, value in labels.items()), ""): number for number, labels in samples}
            for name, samples in found.items()}
