// Draws the dashboards of the folder above with Grafana's components: ?board=overview&from=…&to=…
import { applyFieldOverrides, createTheme, dateTime, FieldColorModeId, getDisplayProcessor, ThemeContext } from '@grafana/data';
import { BarGauge, BigValue, GlobalStyles, PanelChrome, TimeSeries } from '@grafana/ui';
import React, { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';

import { frames } from './prometheus.js';

const boards = import.meta.glob('../../*.json', { eager: true, import: 'default' });
const asked = new URLSearchParams(location.search);
const board = boards[`../../${asked.get('board') ?? 'overview'}.json`];
const range = {
  from: Number(asked.get('from')),
  to: Number(asked.get('to')),
  step: Number(asked.get('step') ?? 2),
  rate: Number(asked.get('rate') ?? 10),
};
const theme = createTheme({ colors: { mode: 'dark' } });
const COLUMN = 62;
const ROW = 34;
const GAP = 8;

function Panel({ panel }) {
  const [data, setData] = useState();
  useEffect(() => {
    Promise.all(panel.targets.map((target) => frames(target, range)))
      .then((found) => setData(prepared(panel, found.flat())))
      .catch((error) => setData({ error: String(error) }));
  }, [panel]);
  const { w, h } = panel.gridPos;
  return (
    <PanelChrome title={panel.title} description={panel.description} width={w * COLUMN - GAP} height={h * ROW - GAP}>
      {(width, height) => (data ? <Content panel={panel} data={data} width={width} height={height} /> : null)}
    </PanelChrome>
  );
}

function prepared(panel, found) {
  found.forEach((frame, index) => {
    frame.fields[1].state = { seriesIndex: index };
  });
  const palette = panel.type === 'timeseries' ? { mode: FieldColorModeId.PaletteClassic } : { mode: FieldColorModeId.Thresholds };
  const defaults = { color: palette, ...panel.fieldConfig.defaults };
  return applyFieldOverrides({
    data: found,
    fieldConfig: { defaults, overrides: [] },
    replaceVariables: (text) => text,
    theme,
    timeZone: 'browser',
    fieldConfigRegistry: undefined,
  }).map((frame) => {
    const field = frame.fields[1];
    field.config = { ...field.config, ...defaults, custom: { ...(defaults.custom ?? {}), ...field.config.custom } };
    field.display = getDisplayProcessor({ field, theme, timeZone: 'browser' });
    return frame;
  });
}

function Content({ panel, data, width, height }) {
  if (data.error) {
    return <pre className="broken">{data.error}</pre>;
  }
  if (panel.type === 'timeseries') {
    return data.length ? <Lines panel={panel} data={data} width={width} height={height} /> : <Nothing text="No data" height={height} />;
  }
  const values = data.map((frame) => {
    const field = frame.fields[1];
    return { ...field.display(field.values[field.values.length - 1]), title: frame.name, field };
  });
  if (!values.length) {
    return <Nothing text={panel.fieldConfig.defaults.noValue} height={height} />;
  }
  return panel.type === 'bargauge' ? (
    <Bars values={values} width={width} height={height} />
  ) : (
    <BigValue value={{ ...values[0], title: undefined }} colorMode={panel.options.colorMode} graphMode="none" width={width} height={height} theme={theme} />
  );
}

function Lines({ panel, data, width, height }) {
  const timeRange = { from: dateTime(range.from * 1000), to: dateTime(range.to * 1000), raw: { from: 'now-1h', to: 'now' } };
  return (
    <TimeSeries
      frames={data}
      structureRev={1}
      timeRange={timeRange}
      timeZone="browser"
      width={width}
      height={height}
      legend={{ ...panel.options.legend, calcs: [] }}
      options={{}}
    />
  );
}

function Bars({ values, width, height }) {
  const highest = Math.max(...values.map((value) => value.numeric));
  const sorted = [...values].sort((a, b) => b.numeric - a.numeric);
  const each = Math.min(38, height / sorted.length);
  return sorted.map((value) => (
    <BarGauge
      key={value.title}
      value={value}
      field={{ ...value.field.config, min: 0, max: highest }}
      display={value.field.display}
      orientation="horizontal"
      displayMode="gradient"
      width={width}
      height={each}
      itemSpacing={8}
      theme={theme}
    />
  ));
}

function Nothing({ text, height }) {
  return <div className="nothing" style={{ height }}>{text}</div>;
}

function Board() {
  const bottom = Math.max(...board.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  return (
    <main style={{ width: 24 * COLUMN + GAP, height: bottom * ROW + 60 }}>
      <h3>{board.title}</h3>
      {board.panels.map((panel) => {
        const { x, y } = panel.gridPos;
        return (
          <div key={panel.id} className="place" style={{ left: x * COLUMN + GAP, top: y * ROW + 44 }}>
            {panel.type === 'row' ? <h5>⌄ {panel.title}</h5> : <Panel panel={panel} />}
          </div>
        );
      })}
    </main>
  );
}

const STYLE = `
  main { position: relative; background: ${theme.colors.background.canvas}; color: ${theme.colors.text.primary}; }
  h3 { padding: 10px 8px 0; font-size: 18px } h5 { margin: 6px 0; font-size: 14px }
  .place { position: absolute } .broken { color: #f55; white-space: pre-wrap; font-size: 10px }
  .nothing { display: flex; align-items: center; justify-content: center; font-size: 20px; color: ${theme.colors.text.secondary} }
`;

createRoot(document.getElementById('root')).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles />
    <style>{STYLE}</style>
    <Board />
  </ThemeContext.Provider>,
);
