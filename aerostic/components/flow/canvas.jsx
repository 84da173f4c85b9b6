// Nodes, handles, connections and notes as they are drawn: the same in the editor and for a run.
import { createContext, memo, useContext, useState } from "react";
import { BaseEdge, EdgeLabelRenderer, Handle, NodeResizer, Position, getBezierPath, useConnection, useStore } from "@xyflow/react";
import { TriangleAlert, X } from "lucide-react";
import { KindIcon, StatusSign, duration, nameOf, portClass, settingsInWords, toneOf } from "./signs.jsx";
import { inputsOf, outputsOf, refusal } from "./rules.js";

/** What every node needs to know of the whole: kinds, ports, findings, the run that is shown. */
export const Whole = createContext({ kinds: {}, ports: {}, findings: {}, steps: {}, choices: {} });

const isFlow = (port) => (port.type || "flow") === "flow";

const Card = memo(function Card({ id, data, selected }) {
  const whole = useContext(Whole);
  const node = { id, kind: data.kind, name: data.name, config: data.config };
  const kind = whole.kinds[data.kind];
  const inputs = inputsOf(node, whole.kinds);
  const outputs = outputsOf(node, whole.kinds, whole.ports);
  const step = whole.steps[id];
  const found = whole.findings[id] || [];
  const summary = settingsInWords(node, kind, whole.choices);
  const isWrong = found.some((one) => one.severity === "error");
  const equips = inputs.filter((port) => !isFlow(port));
  const worded = outputs.filter(isFlow).length > 1 || (outputs[0] && isFlow(outputs[0]) && outputs[0].name !== "out");
  return (
    <div className={`fl-card tone-${toneOf(kind?.group)} ${selected ? "is-selected" : ""} ${isWrong ? "is-wrong" : ""} ${step ? `st-${step.status}` : ""} ${kind ? "" : "is-strange"}`} data-kind={data.kind} data-status={step?.status || ""}>
      {inputs.filter(isFlow).map((port) => (
        <Handle key={port.name} id={port.name} type="target" position={Position.Left} className={`fl-port ${portClass(port)}`} style={{ top: 30 }} title={port.title} role="img" aria-label={`${port.title}: input`} />
      ))}
      <div className="fl-card-head">
        <span className="fl-tile"><KindIcon name={kind?.icon} /></span>
        <span className="fl-card-name">
          <strong>{nameOf(node, whole.kinds)}</strong>
          {data.name && data.name !== kind?.title ? <small>{kind?.title || data.kind}</small> : !kind && <small>This page does not know this kind. Reload it.</small>}
        </span>
        {found.length > 0 && (
          <span className={`fl-mark ${isWrong ? "is-error" : ""}`} role="img" aria-label={found.map((one) => one.sentence).join(" ")} title={found.map((one) => one.sentence).join("\n")}><TriangleAlert size={15} /></span>
        )}
        {step && <StatusSign status={step.status} />}
      </div>
      {summary && <p className="fl-card-summary">{summary}</p>}
      {step?.error && <p className="fl-card-error">{step.error}</p>}
      {step && (
        <p className="fl-card-time">
          {step.count > 1 && <span>{step.count} times</span>}
          <span>{duration(step.ms)}</span>
        </p>
      )}
      {worded
        ? <ul className="fl-outs">{outputs.filter(isFlow).map((port) => <Out key={port.name} port={port} isTaken={step?.ports?.includes(port.name)} />)}</ul>
        : outputs.filter(isFlow).map((port) => <Handle key={port.name} id={port.name} type="source" position={Position.Right} className={`fl-port ${portClass(port)}`} style={{ top: 30 }} title={port.title} role="img" aria-label={`${port.title}: output`} />)}
      {equips.length > 0 && (
        <ul className="fl-equips">
          {equips.map((port) => (
            <li key={port.name} className={portClass(port)}>
              {port.title}
              <Handle id={port.name} type="target" position={Position.Bottom} className={`fl-port ${portClass(port)}`} title={port.title} role="img" aria-label={`${port.title}: input`} />
            </li>
          ))}
        </ul>
      )}
      {outputs.filter((port) => !isFlow(port)).map((port, at, all) => (
        <Handle key={port.name} id={port.name} type="source" position={Position.Top} className={`fl-port ${portClass(port)}`} style={{ left: `${((at + 1) * 100) / (all.length + 1)}%` }} title={port.title} role="img" aria-label={`${port.title}: output`} />
      ))}
    </div>
  );
});

function Out({ port, isTaken }) {
  return (
    <li className={`${portClass(port)} ${isTaken ? "is-taken" : ""}`}>
      {port.title}
      <Handle id={port.name} type="source" position={Position.Right} className={`fl-port ${portClass(port)}`} title={port.title} role="img" aria-label={`${port.title}: output`} />
    </li>
  );
}

const NoteCard = memo(function NoteCard({ id, data, selected }) {
  const { onNote } = useContext(Whole);
  const [isWriting, setWriting] = useState(false);
  return (
    <div className={`fl-note is-${data.colour || "yellow"} ${selected ? "is-selected" : ""}`} onDoubleClick={() => onNote && setWriting(true)}>
      {onNote && <NodeResizer isVisible={selected} minWidth={120} minHeight={60} onResizeEnd={(_, size) => onNote(id, { width: size.width, height: size.height })} />}
      {isWriting
        ? <textarea className="nodrag nowheel" aria-label="Note" autoFocus defaultValue={data.text} maxLength={4000} onBlur={(event) => { setWriting(false); onNote(id, { text: event.target.value }); }} onKeyDown={(event) => event.key === "Escape" && event.target.blur()} />
        : <p>{data.text || (onNote ? "Double click to write" : "")}</p>}
    </div>
  );
});

export const nodeTypes = { card: Card, note: NoteCard };

function Line({ id, source, sourceHandleId, sourceX, sourceY, sourcePosition, targetX, targetY, targetPosition, selected, data }) {
  const whole = useContext(Whole);
  const [path, x, y] = getBezierPath({ sourceX, sourceY, sourcePosition, targetX, targetY, targetPosition });
  const taken = whole.steps[source]?.ports?.includes(sourceHandleId);
  const name = sourceHandleId === "error" ? "is-error" : sourceHandleId === "timeout" ? "is-timeout" : `is-${data?.type || "flow"}`;
  return (
    <>
      <BaseEdge id={id} path={path} className={`fl-line ${name} ${selected ? "is-selected" : ""} ${taken ? "is-taken" : ""}`} interactionWidth={22} />
      {selected && whole.onCut && (
        <EdgeLabelRenderer>
          <button type="button" className="fl-cut nodrag nopan" aria-label="Remove this connection" style={{ transform: `translate(-50%,-50%) translate(${x}px,${y}px)` }} onClick={() => whole.onCut(id)}><X size={13} /></button>
        </EdgeLabelRenderer>
      )}
    </>
  );
}

export const edgeTypes = { line: Line };

/** Beside the pointer while a connection is drawn: why it may not end here. */
export function Refusal({ graph, kinds, ports }) {
  const drawn = useConnection();
  const transform = useStore((store) => store.transform);
  if (!drawn.inProgress || !drawn.toHandle || drawn.toNode?.id === undefined) return null;
  const why = refusal(graph(), edgeBetween(drawn.fromHandle, drawn.toHandle), kinds, ports);
  if (!why) return null;
  const [left, top, zoom] = transform;
  const at = drawn.pointer || drawn.to;
  const isOnScreen = Boolean(drawn.pointer);
  const x = isOnScreen ? at.x : at.x * zoom + left;
  const y = isOnScreen ? at.y : at.y * zoom + top;
  return <div className="fl-refusal" role="alert" style={{ left: x + 14, top: y + 16 }}>{why}</div>;
}

/** An edge, from whichever end it was drawn. */
export function edgeBetween(from, to) {
  const [source, target] = from.type === "source" ? [from, to] : [to, from];
  const isBackward = from.type === to.type;
  return { source: source.nodeId, sourceHandle: source.id, target: target.nodeId, targetHandle: target.id, isBackward, bothAre: isBackward ? from.type : "" };
}

export const asNodes = (graph) => [
  ...(graph.notes || []).map((note) => ({ id: note.id, type: "note", position: note.position, width: note.width, height: note.height, zIndex: -1, data: { text: note.text, colour: note.colour } })),
  ...(graph.nodes || []).map((node) => ({ id: node.id, type: "card", position: node.position, data: { kind: node.kind, name: node.name, config: node.config, retries: node.retries } })),
];

export const asEdges = (graph, typeOf) => (graph.edges || []).map((edge) => ({
  id: edge.id, type: "line", source: edge.source, sourceHandle: edge.source_port, target: edge.target, targetHandle: edge.target_port, data: { type: typeOf(edge) },
}));

const rounded = (point) => ({ x: Math.round(point.x * 10) / 10, y: Math.round(point.y * 10) / 10 });

export function asGraph(nodes, edges) {
  return {
    format: 1,
    nodes: nodes.filter((one) => one.type === "card").map((one) => ({ id: one.id, kind: one.data.kind, name: one.data.name || "", position: rounded(one.position), config: one.data.config || {}, retries: one.data.retries || 0 })),
    edges: edges.map((one) => ({ id: one.id, source: one.source, source_port: one.sourceHandle || "out", target: one.target, target_port: one.targetHandle || "in" })),
    notes: nodes.filter((one) => one.type === "note").map((one) => ({ id: one.id, text: one.data.text || "", position: rounded(one.position), width: one.width || one.measured?.width || 240, height: one.height || one.measured?.height || 120, colour: one.data.colour || "yellow" })),
  };
}

/** What a run did, by node: its last status, how often, which outputs it took. */
export function stepsByNode(run) {
  const byNode = {};
  for (const step of run?.steps || []) {
    const before = byNode[step.node];
    byNode[step.node] = {
      status: step.status, error: step.status === "failed" || step.status === "unknown" ? step.error : "", count: (before?.count || 0) + 1,
      ms: (before?.ms || 0) + (step.ms || 0), ports: [...(before?.ports || []), ...(step.port ? [step.port] : [])], number: step.number,
    };
  }
  if (run?.current && !["done", "failed", "cancelled", "stopped"].includes(run.status)) {
    byNode[run.current] = { ...(byNode[run.current] || { count: 0, ms: null, ports: [] }), status: run.status === "running" || run.status === "ready" ? "running" : run.status, error: "" };
  }
  return byNode;
}
