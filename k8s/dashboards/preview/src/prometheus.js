// Queries of panels, answered by Prometheus as frames of Grafana's.
import { FieldType, toDataFrame } from '@grafana/data';

export async function frames(target, range) {
  const query = fill(target.expr, range);
  const path = target.instant ? 'query' : 'query_range';
  const times = target.instant
    ? { time: range.to }
    : { start: range.from, end: range.to, step: range.step };
  const answer = await fetch(`/api/v1/${path}?${new URLSearchParams({ query, ...times })}`);
  const { status, data, error } = await answer.json();
  if (status !== 'success') {
    throw new Error(`${query}: ${error}`);
  }
  if (data.resultType === 'scalar') {
    return [frame(target, {}, [data.result])];
  }
  return data.result.map((series) => frame(target, series.metric, series.values ?? [series.value]));
}

function fill(expression, range) {
  return expression
    .replaceAll('$__rate_interval', `${range.rate}s`)
    .replaceAll('$__range', `${Math.ceil(range.to - range.from)}s`)
    .replaceAll('$job', '.*')
    .replaceAll('$integration', '.*');
}

function frame(target, labels, points) {
  const name = (target.legendFormat || '').replace(/{{\s*(\w+)\s*}}/g, (_, label) => labels[label] ?? '');
  return toDataFrame({
    refId: target.refId,
    name,
    fields: [
      { name: 'Time', type: FieldType.time, values: points.map(([time]) => time * 1000) },
      { name: 'Value', type: FieldType.number, values: points.map(([, value]) => Number(value)), config: { displayNameFromDS: name } },
    ],
  });
}
