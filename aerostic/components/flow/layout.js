// Tidy up: the run goes from left to right, what equips an agent stands below it.

export const STEP = 16; // the grid
const COLUMN = 304;
const GAP = 40;
const EQUIPMENT_DROP = 90;

const onGrid = (value) => Math.round(value / STEP) * STEP;

/** New positions by node id. `sizeOf(id)` is {width, height} as drawn; `types(edge)` the type that flows. */
export function tidied(nodes, edges, sizeOf, typeOf) {
  const flow = edges.filter((edge) => typeOf(edge) === "flow");
  const equips = new Map(edges.filter((edge) => typeOf(edge) !== "flow").map((edge) => [edge.source, edge.target]));
  const main = nodes.filter((node) => !equips.has(node.id) || flow.some((edge) => edge.source === node.id || edge.target === node.id));
  const columns = columnsOf(main, flow);
  const placed = place(main, flow, columns, sizeOf, equips, nodes);
  return placed;
}

/** The column of each node: one further than the furthest that leads to it; edges that lead back do not count. */
function columnsOf(nodes, edges) {
  const ids = new Set(nodes.map((node) => node.id));
  const next = new Map(nodes.map((node) => [node.id, edges.filter((edge) => edge.source === node.id && ids.has(edge.target)).map((edge) => edge.target)]));
  const entered = new Set(edges.map((edge) => edge.target));
  const begins = [...nodes.filter((node) => !entered.has(node.id)), ...nodes];
  const state = new Map();
  const order = [];
  const forward = [];
  const visit = (id) => {
    state.set(id, 1);
    for (const target of next.get(id)) {
      if (state.get(target) === 1) continue; // leads back
      forward.push([id, target]);
      if (!state.has(target)) visit(target);
    }
    state.set(id, 2);
    order.unshift(id);
  };
  begins.forEach((node) => state.has(node.id) || visit(node.id));
  const column = new Map(order.map((id) => [id, 0]));
  for (const id of order) for (const [from, to] of forward) if (from === id) column.set(to, Math.max(column.get(to), column.get(id) + 1));
  return column;
}

function place(main, edges, columns, sizeOf, equips, nodes) {
  const positions = {};
  const byColumn = [];
  main.forEach((node) => (byColumn[columns.get(node.id)] ||= []).push(node));
  const rank = new Map();
  byColumn.forEach((column, at) => {
    const wish = (node) => {
      const from = edges.filter((edge) => edge.target === node.id && rank.has(edge.source) && columns.get(edge.source) < at);
      if (!from.length) return node.position.y / 1e5 + 1e3;
      return from.reduce((sum, edge) => sum + rank.get(edge.source) + edgeRank(edge, edges) / 10, 0) / from.length;
    };
    const wishes = new Map(column.map((node) => [node.id, at === 0 ? node.position.y : wish(node)]));
    column.sort((one, other) => wishes.get(one.id) - wishes.get(other.id));
    const heights = column.map((node) => heightWith(node, sizeOf, equips));
    let top = at === 0 ? 0 : Math.max(0, middleOf(column, edges, positions, sizeOf) - total(heights) / 2);
    column.forEach((node, row) => {
      positions[node.id] = { x: onGrid(at * COLUMN), y: onGrid(top) };
      rank.set(node.id, row);
      top += heights[row] + GAP;
    });
  });
  placeEquipment(nodes, equips, positions, sizeOf);
  return positions;
}

const edgeRank = (edge, edges) => edges.filter((one) => one.source === edge.source).indexOf(edge);
const total = (heights) => heights.reduce((sum, one) => sum + one, 0) + GAP * (heights.length - 1);

function heightWith(node, sizeOf, equips) {
  const below = [...equips].filter(([, target]) => target === node.id);
  return sizeOf(node.id).height + (below.length ? EQUIPMENT_DROP + Math.max(...below.map(([id]) => sizeOf(id).height)) : 0);
}

function middleOf(column, edges, positions, sizeOf) {
  const from = edges.filter((edge) => positions[edge.source] && column.some((node) => node.id === edge.target));
  if (!from.length) return 0;
  return from.reduce((sum, edge) => sum + positions[edge.source].y + sizeOf(edge.source).height / 2, 0) / from.length;
}

function placeEquipment(nodes, equips, positions, sizeOf) {
  const taken = new Map();
  for (const node of nodes) {
    const agent = equips.get(node.id);
    if (positions[node.id] || !positions[agent]) continue;
    const row = taken.get(agent) || 0;
    taken.set(agent, row + 1);
    positions[node.id] = {
      x: onGrid(positions[agent].x + row * (sizeOf(node.id).width + GAP)),
      y: onGrid(positions[agent].y + sizeOf(agent).height + EQUIPMENT_DROP),
    };
  }
  nodes.forEach((node) => (positions[node.id] ||= { ...node.position }));
}

/** Put the chosen nodes in line or at even distances. */
export function aligned(chosen, how) {
  const boxes = chosen.map((node) => ({ id: node.id, ...node.position, width: node.measured?.width || 240, height: node.measured?.height || 80 }));
  if (how === "spread-x" || how === "spread-y") return spread(boxes, how === "spread-x" ? ["x", "width"] : ["y", "height"]);
  const [axis, side] = how === "top" || how === "middle" ? ["y", "height"] : ["x", "width"];
  const centred = how === "middle" || how === "centre";
  const line = centred ? boxes.reduce((sum, box) => sum + box[axis] + box[side] / 2, 0) / boxes.length : Math.min(...boxes.map((box) => box[axis]));
  return Object.fromEntries(boxes.map((box) => [box.id, { x: box.x, y: box.y, [axis]: centred ? line - box[side] / 2 : line }]));
}

function spread(boxes, [axis, side]) {
  const sorted = [...boxes].sort((one, other) => one[axis] - other[axis]);
  const room = sorted.at(-1)[axis] - sorted[0][axis];
  const filled = sorted.slice(0, -1).reduce((sum, box) => sum + box[side], 0);
  const gap = Math.max(STEP, (room - filled) / (sorted.length - 1));
  let at = sorted[0][axis];
  return Object.fromEntries(sorted.map((box) => {
    const here = { x: box.x, y: box.y, [axis]: at };
    at += box[side] + gap;
    return [box.id, here];
  }));
}
