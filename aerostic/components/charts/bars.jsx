// Bars over days, weeks or months: one after the other, or stacked. Its figures stand in a table beside it too.
import React from "react";

const HEIGHT = 220;
const SPACE = { left: 46, right: 8, top: 10, bottom: 26 };

/** The next round number: 1, 2, 5, 10, 20, 50 and so on. */
function rounded(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  const factor = [1, 2, 5, 10].find((one) => value <= one * power);
  return factor * power;
}

function ticksTo(most) {
  const step = rounded(Math.max(most, 4) / 4);
  const count = Math.max(1, Math.ceil(most / step));
  return Array.from({ length: count + 1 }, (_, at) => at * step);
}

const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const full = new Intl.NumberFormat("en");

function useWidth(box) {
  const [width, setWidth] = React.useState(0);
  React.useLayoutEffect(() => {
    const watcher = new ResizeObserver(([entry]) => setWidth(entry.contentRect.width));
    watcher.observe(box.current);
    return () => watcher.disconnect();
  }, [box]);
  return width;
}

function Group({ values, series, isStacked, x, width, toY }) {
  const shown = series.map((one, at) => ({ ...one, value: values[at] })).filter((one) => one.value > 0);
  const gap = Math.min(4, width * 0.15);
  const usable = Math.min(width - gap, isStacked ? 34 : 20 * series.length);
  const left = x + (width - usable) / 2;
  let base = 0;
  return shown.map((one) => {
    const place = series.findIndex((other) => other.name === one.name);
    const from = isStacked ? base : 0;
    base += one.value;
    const wide = isStacked ? usable : usable / series.length;
    const top = toY(from + one.value);
    const tall = Math.max(1, toY(from) - top);
    return (
      <rect
        key={one.name}
        x={isStacked ? left : left + place * wide}
        y={top}
        width={Math.max(1, wide - (isStacked ? 0 : 1))}
        height={tall}
        rx={Math.min(2, wide / 3)}
        fill={one.colour}
      />
    );
  });
}

/** What stands under the pointer, in words. */
function Readout({ bar, series, left, isRight }) {
  return (
    <div className="chart-readout" style={isRight ? { right: `calc(100% - ${left}px + 10px)` } : { left: left + 10 }}>
      <strong>{bar.full}</strong>
      {series.map((one, at) => (
        <span key={one.name}>
          <i style={{ background: one.colour }} /> {one.name} <b>{full.format(bar.values[at])}</b>
        </span>
      ))}
    </div>
  );
}

export function Bars({ bars = [], series = [], stacked: isStacked = false, label = "" }) {
  const box = React.useRef(null);
  const width = useWidth(box);
  const [over, setOver] = React.useState(null);
  const heights = bars.map((bar) => (isStacked ? bar.values.reduce((sum, one) => sum + one, 0) : Math.max(0, ...bar.values)));
  const ticks = ticksTo(Math.max(0, ...heights));
  const most = ticks[ticks.length - 1];
  const inside = Math.max(0, width - SPACE.left - SPACE.right);
  const step = bars.length ? inside / bars.length : inside;
  const toY = (value) => SPACE.top + (HEIGHT - SPACE.top - SPACE.bottom) * (1 - value / most);
  const every = Math.max(1, Math.ceil(58 / Math.max(step, 1)));
  const point = (event) => {
    const at = Math.floor((event.clientX - box.current.getBoundingClientRect().left - SPACE.left) / step);
    setOver(at >= 0 && at < bars.length ? at : null);
  };
  return (
    <div>
      <div className="chart-legend" aria-hidden="true">
        {series.map((one) => (
          <span key={one.name}><i style={{ background: one.colour }} /> {one.name}</span>
        ))}
      </div>
      <div ref={box} className="chart-box" onPointerMove={point} onPointerLeave={() => setOver(null)}>
        <svg width="100%" height={HEIGHT} role="img" aria-label={label}>
          {ticks.map((tick) => (
            <g key={tick}>
              <line x1={SPACE.left} x2={width - SPACE.right} y1={toY(tick)} y2={toY(tick)} className="chart-line" />
              <text x={SPACE.left - 8} y={toY(tick) + 4} textAnchor="end" className="chart-words">{short.format(tick)}</text>
            </g>
          ))}
          {over !== null && (
            <rect x={SPACE.left + over * step} y={SPACE.top} width={step} height={HEIGHT - SPACE.top - SPACE.bottom} className="chart-over" />
          )}
          {width > 0 && bars.map((bar, at) => (
            <g key={bar.full}>
              <Group values={bar.values} series={series} isStacked={isStacked} x={SPACE.left + at * step} width={step} toY={toY} />
              {at % every === 0 && (
                <text x={SPACE.left + (at + 0.5) * step} y={HEIGHT - 8} textAnchor="middle" className="chart-words">{bar.label}</text>
              )}
            </g>
          ))}
        </svg>
        {over !== null && bars[over] && (
          <Readout bar={bars[over]} series={series} left={SPACE.left + (over + 0.5) * step} isRight={over > bars.length / 2} />
        )}
      </div>
    </div>
  );
}
