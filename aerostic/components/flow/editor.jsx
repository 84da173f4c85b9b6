// The workflow editor: palette, canvas, form. It holds what hands are doing now; the server is told after a pause.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Background, Controls, MiniMap, ReactFlow, ReactFlowProvider, useEdgesState, useNodesState, useReactFlow, useUpdateNodeInternals } from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { Refusal, Whole, asEdges, asGraph, asNodes, edgeBetween, edgeTypes, nodeTypes, stepsByNode } from "./canvas.jsx";
import { Inspector } from "./inspector.jsx";
import { STEP, aligned, tidied } from "./layout.js";
import { Outline } from "./outline.jsx";
import { Palette, PalettePopup } from "./palette.jsx";
import { fittingInput, inputsOf, learnSentences, outputsOf, refusal } from "./rules.js";
import { Help, Saved, Toolbar } from "./toolbar.jsx";
import { nameOf, toneOf } from "./signs.jsx";
import { variablesFor } from "./variables.jsx";
import "./flow.css";

const SAVE_AFTER = 30_000;
const TELL_AFTER = 300;
const UNDONE_TOGETHER = 900;
const MOST_UNDOS = 100;
const PART = "aerostic-workflow-part";

const freshId = (prefix) => `${prefix}_${crypto.getRandomValues(new Uint32Array(2)).reduce((text, one) => text + one.toString(36), "").slice(0, 9)}`;
const isTyping = (element) => Boolean(element?.closest?.("input, textarea, select, [contenteditable='true'], [role='dialog']"));

const useNarrow = () => {
  const asked = useMemo(() => window.matchMedia("(max-width: 767px)"), []);
  const [isNarrow, setNarrow] = useState(asked.matches);
  useEffect(() => {
    const hear = () => setNarrow(asked.matches);
    asked.addEventListener("change", hear);
    return () => asked.removeEventListener("change", hear);
  }, [asked]);
  return isNarrow;
};

/** The colours of the page, which has its own switch. */
const useScheme = () => {
  const read = () => (document.documentElement.classList.contains("dark") ? "dark" : "light");
  const [scheme, setScheme] = useState(read);
  useEffect(() => {
    const watcher = new MutationObserver(() => setScheme(read()));
    watcher.observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
    return () => watcher.disconnect();
  }, []);
  return scheme;
};

function Editor({ workspace, kinds: listed, sentences, opened, ports, findings, saved, choices, samples, run, step, mayEdit, isActive = true, isTesting = false, focus, children, onCommit, onSave, onTest, onPublish, onStep }) {
  const kinds = useMemo(() => Object.fromEntries((listed || []).map((kind) => [kind.kind, kind])), [listed]);
  useEffect(() => learnSentences(sentences), [sentences]);
  const [nodes, setNodes, onNodesChange] = useNodesState([]);
  const [edges, setEdges, onEdgesChange] = useEdgesState([]);
  const [popup, setPopup] = useState(null);
  const [said, setSaid] = useState("");
  const [hasHelp, setHelp] = useState(false);
  const [tab, setTab] = useState("settings");
  const [seq, setSeq] = useState(0);
  const [depth, setDepth] = useState({ undo: 0, redo: 0 });
  const memory = useRef({ last: "", undo: [], redo: [], key: "", at: 0, opened: null, seq: 0, told: 0, sent: 0, graph: null });
  const area = useRef(null);
  const isNarrow = useNarrow();
  const scheme = useScheme();
  const flow = useReactFlow();
  const updateInternals = useUpdateNodeInternals();
  const canEdit = mayEdit && !isNarrow;

  const latest = useRef({});
  const graphNow = useCallback(() => memory.current.graph || { nodes: [], edges: [], notes: [] }, []);
  const typeOfEdge = useCallback((edge) => {
    const node = graphNow().nodes.find((one) => one.id === edge.source) || opened?.graph?.nodes?.find((one) => one.id === edge.source);
    return (node && outputsOf(node, kinds, ports).find((port) => port.name === (edge.source_port ?? edge.sourceHandle))?.type) || "flow";
  }, [kinds, ports, opened, graphNow]);

  const show = useCallback((graph) => {
    memory.current.graph = graph;
    setNodes((before) => {
      const chosen = new Set(before.filter((one) => one.selected).map((one) => one.id));
      return asNodes(graph).map((one) => ({ ...one, selected: chosen.has(one.id), data: { ...one.data, of: memory.current.opened } }));
    });
    setEdges(asEdges(graph, typeOfEdge));
  }, [setNodes, setEdges, typeOfEdge]);

  // What the server opened: once, and again only when it opens something else.
  useEffect(() => {
    const here = memory.current;
    if (!opened?.number || here.opened === opened.number) return;
    if (here.id && here.id !== opened.id) latest.current.save?.();
    const given = asGraph(asNodes(opened.graph), asEdges(opened.graph, () => "flow"));
    const graph = isHeap(given.nodes) ? spreadOut(given, (edge) => typeIn(given, edge, kinds, ports)) : given;
    Object.assign(here, { opened: opened.number, id: opened.id, last: JSON.stringify(graph), undo: [], redo: [], seq: 0, told: 0, sent: 0, keptUpTo: 0, isOpening: true });
    setSeq(0);
    setDepth({ undo: 0, redo: 0 });
    show(graph);
    here.isToFit = true;
  }, [opened, show, flow, kinds, ports]);

  // Outputs that depend on settings: told by the server. A connection of an output that is gone goes; one that was renamed moves.
  const portsBefore = useRef({});
  useEffect(() => {
    const before = portsBefore.current;
    portsBefore.current = ports || {};
    setEdges((all) => {
      const next = all.map((edge) => followed(edge, before[edge.source], ports?.[edge.source])).filter(Boolean);
      return next.some((edge, at) => edge !== all[at]) || next.length !== all.length ? next : all;
    });
    updateInternals(Object.keys(ports || {}));
  }, [ports, setEdges, updateInternals]);

  useEffect(() => {
    const here = memory.current;
    if (!here.isToFit || !nodes.length || nodes.some((one) => !one.measured)) return undefined;
    here.isToFit = false;
    const frame = requestAnimationFrame(() => flow.fitView({ padding: 0.14, maxZoom: 1 }));
    return () => cancelAnimationFrame(frame);
  }, [nodes, flow]);

  // Every change of the graph, whoever made it, is seen here: one place for undo, telling and saving.
  useEffect(() => {
    const here = memory.current;
    if (!here.opened || nodes.some((one) => one.dragging || one.resizing)) return;
    const graph = asGraph(nodes, edges);
    const text = JSON.stringify(graph);
    if (here.isOpening && !isShown(nodes, here)) return; // what was drawn before is still there
    here.isOpening = false;
    if (text === here.last) return;
    here.graph = graph;
    if (here.isStepping) here.isStepping = false;
    else remember(here);
    here.last = text;
    setDepth({ undo: here.undo.length, redo: here.redo.length });
    here.seq += 1;
    setSeq(here.seq);
  }, [nodes, edges]);

  const tell = useCallback(() => {
    const here = memory.current;
    clearTimeout(here.telling);
    if (here.told === here.seq) return;
    here.told = here.seq;
    onCommit?.({ id: here.id, graph: here.graph, seq: here.seq });
  }, [onCommit]);

  const save = useCallback(() => {
    const here = memory.current;
    clearTimeout(here.saving);
    here.saving = null;
    if (here.sent === here.seq || !here.id) return;
    here.sent = here.seq;
    here.told = here.seq;
    clearTimeout(here.telling);
    onSave?.({ id: here.id, graph: here.graph, seq: here.seq, revision: here.revision ?? 0 });
  }, [onSave]);

  useEffect(() => {
    const here = memory.current;
    if (!canEdit || seq === 0 || here.told === here.seq) return;
    clearTimeout(here.telling);
    here.telling = setTimeout(tell, TELL_AFTER);
    here.saving ||= setTimeout(save, SAVE_AFTER);
  }, [seq, tell, save, canEdit]);

  // A save that was refused may be tried again.
  useEffect(() => {
    const here = memory.current;
    if (saved?.id !== here.id) return;
    here.revision = saved.revision;
    if (saved.problem) here.sent = -1;
    else here.keptUpTo = saved.seq;
  }, [saved, opened]);

  latest.current = { save, workspace };
  useEffect(() => {
    const hide = () => document.visibilityState === "hidden" && latest.current.save();
    const leave = () => saveOnLeaving(memory.current, latest.current);
    const warn = (event) => (memory.current.keptUpTo ?? memory.current.seq) < memory.current.seq && new Blob([memory.current.last]).size > 60_000 && event.preventDefault();
    document.addEventListener("visibilitychange", hide);
    window.addEventListener("pagehide", leave);
    window.addEventListener("beforeunload", warn);
    return () => {
      document.removeEventListener("visibilitychange", hide);
      window.removeEventListener("pagehide", leave);
      window.removeEventListener("beforeunload", warn);
      clearTimeout(memory.current.telling);
      latest.current.save();
    };
  }, []);

  // Changing the graph -----------------------------------------------------------------------------

  const together = (key) => (memory.current.key = key);
  const setData = useCallback((id, change, key) => {
    if (key) together(`${key}:${id}`);
    setNodes((all) => all.map((one) => (one.id === id ? { ...one, data: { ...one.data, ...change } } : one)));
  }, [setNodes]);
  const setNote = useCallback((id, change) => setNodes((all) => all.map((one) => {
    if (one.id !== id) return one;
    const { width, height, ...data } = change;
    return { ...one, ...(width ? { width, height } : {}), data: { ...one.data, ...data } };
  })), [setNodes]);

  const middle = useCallback(() => {
    const box = area.current.getBoundingClientRect();
    return flow.screenToFlowPosition({ x: box.left + box.width / 2 - 120, y: box.top + box.height / 2 - 40 });
  }, [flow]);

  const onGrid = ({ x, y }) => ({ x: Math.round(x / STEP) * STEP, y: Math.round(y / STEP) * STEP });
  const free = useCallback((wish) => {
    const at = onGrid(wish);
    while (flow.getNodes().some((one) => Math.abs(one.position.x - at.x) < 24 && Math.abs(one.position.y - at.y) < 24)) { at.x += 32; at.y += 32; }
    return at;
  }, [flow]);

  const connect = useCallback((from, output, to, input) => setEdges((all) => [...all, {
    id: freshId("e"), type: "line", source: from, sourceHandle: output.name, target: to, targetHandle: input.name, data: { type: output.type },
  }]), [setEdges]);

  /** Add a node: where it was dropped, or after the chosen one and connected to it. */
  const add = useCallback((kindName, position, link) => {
    const kind = kinds[kindName];
    if (!kind || !canEdit) return;
    const id = freshId(kindName.split(".").pop());
    const chosen = flow.getNodes().filter((one) => one.selected && one.type === "card");
    const from = link || (!position && chosen.length === 1 ? { node: chosen[0].id } : null);
    const begin = from && linkFrom(graphNow(), from, kind, kinds, ports);
    const beside = begin && flow.getNode(begin.node);
    const below = begin?.output.type !== "flow";
    const wish = position || (beside ? (begin.isReversed ? { x: beside.position.x, y: beside.position.y + 220 } : { x: beside.position.x + (below ? 0 : 320), y: beside.position.y + (below ? -160 : 0) }) : middle());
    setNodes((all) => [...all.map((one) => ({ ...one, selected: false })), { id, type: "card", position: free(wish), selected: true, data: { kind: kindName, name: "", config: {}, retries: 0 } }]);
    if (begin?.isReversed) connect(id, begin.output, begin.node, begin.input);
    else if (begin) connect(begin.node, begin.output, id, begin.input);
    setTab("settings");
    setTimeout(() => reveal(flow, area.current, id), 60);
  }, [kinds, ports, canEdit, flow, graphNow, middle, free, connect, setNodes]);

  const addNote = useCallback(() => {
    const id = freshId("note");
    const position = besideAll(onGrid(middle()), NOTE, flow.getNodes());
    setNodes((all) => [...all.map((one) => ({ ...one, selected: false })), { id, type: "note", position, ...NOTE, zIndex: -1, selected: true, data: { text: "", colour: "yellow" } }]);
    setTimeout(() => reveal(flow, area.current, id), 60);
  }, [setNodes, flow, middle]);

  const undo = useCallback((isRedo) => {
    const here = memory.current;
    const [from, to] = isRedo ? [here.redo, here.undo] : [here.undo, here.redo];
    if (!from.length) return;
    to.push(here.last);
    here.isStepping = true;
    here.key = "";
    show(JSON.parse(from.pop()));
  }, [show]);

  const tidy = useCallback(() => {
    const graph = graphNow();
    const sizeOf = (id) => flow.getNode(id)?.measured || { width: 240, height: 80 };
    const positions = tidied(graph.nodes, graph.edges, sizeOf, typeOfEdge);
    setNodes((all) => all.map((one) => (positions[one.id] ? { ...one, position: positions[one.id] } : one)));
    memory.current.isToFit = true;
  }, [flow, graphNow, setNodes, typeOfEdge]);

  const align = useCallback((how) => {
    const positions = aligned(flow.getNodes().filter((one) => one.selected), how);
    setNodes((all) => all.map((one) => (positions[one.id] ? { ...one, position: onGrid(positions[one.id]) } : one)));
  }, [flow, setNodes]);

  // Copies ------------------------------------------------------------------------------------------

  const chosenPart = useCallback(() => {
    const graph = graphNow();
    const ids = new Set(flow.getNodes().filter((one) => one.selected).map((one) => one.id));
    return { [PART]: 1, nodes: graph.nodes.filter((one) => ids.has(one.id)), notes: graph.notes.filter((one) => ids.has(one.id)), edges: graph.edges.filter((one) => ids.has(one.source) && ids.has(one.target)) };
  }, [flow, graphNow]);

  const paste = useCallback((part, shift = 48) => {
    const renamed = new Map([...(part.nodes || []), ...(part.notes || [])].map((one) => [one.id, freshId(String(one.kind || "note").split(".").pop())]));
    const moved = ({ x = 0, y = 0 } = {}) => ({ x: x + shift, y: y + shift });
    const inside = (text) => [...renamed].reduce((here, [old, now]) => here.split(`nodes.${old}.`).join(`nodes.${now}.`), text);
    const fresh = asNodes({
      nodes: (part.nodes || []).map((one) => ({ ...one, id: renamed.get(one.id), position: moved(one.position), config: JSON.parse(inside(JSON.stringify(one.config || {}))) })),
      notes: (part.notes || []).map((one) => ({ ...one, id: renamed.get(one.id), position: moved(one.position) })),
    });
    setNodes((all) => [...all.map((one) => ({ ...one, selected: false })), ...fresh.map((one) => ({ ...one, selected: true }))]);
    const lines = asEdges({ edges: (part.edges || []).map((one) => ({ ...one, id: freshId("e"), source: renamed.get(one.source), target: renamed.get(one.target) })) }, typeOfEdge);
    setEdges((all) => [...all.map((one) => ({ ...one, selected: false })), ...lines.filter((one) => one.source && one.target)]);
  }, [setNodes, setEdges, typeOfEdge]);

  const removeChosen = useCallback(() => {
    flow.deleteElements({ nodes: flow.getNodes().filter((one) => one.selected), edges: flow.getEdges().filter((one) => one.selected) });
  }, [flow]);

  useEffect(() => {
    if (!isActive || isNarrow) return undefined;
    const concerns = (event) => !isTyping(event.target) && !isTyping(document.activeElement) && !String(window.getSelection());
    const copy = (event) => {
      const part = chosenPart();
      if (!concerns(event) || !(part.nodes.length + part.notes.length)) return;
      event.clipboardData.setData("text/plain", JSON.stringify(part, null, 1));
      event.preventDefault();
      setSaid(`${part.nodes.length + part.notes.length} copied. Paste here or in another workflow.`);
      if (event.type === "cut" && canEdit) removeChosen();
    };
    const take = (event) => {
      if (!canEdit || isTyping(event.target)) return;
      const part = readPart(event.clipboardData.getData("text/plain"));
      if (!part) return;
      event.preventDefault();
      const unknown = part.nodes.filter((one) => !kinds[one.kind]);
      if (unknown.length) return setSaid(`There is no kind of step called “${unknown[0].kind}” here.`);
      paste(part);
    };
    document.addEventListener("copy", copy);
    document.addEventListener("cut", copy);
    document.addEventListener("paste", take);
    return () => {
      document.removeEventListener("copy", copy);
      document.removeEventListener("cut", copy);
      document.removeEventListener("paste", take);
    };
  }, [isActive, isNarrow, canEdit, kinds, chosenPart, paste, removeChosen]);

  // Keys --------------------------------------------------------------------------------------------

  useEffect(() => {
    if (!isActive || isNarrow) return undefined;
    const keys = (event) => {
      const mod = event.ctrlKey || event.metaKey;
      const key = event.key.toLowerCase();
      if (mod && key === "s") { event.preventDefault(); if (canEdit) save(); return; }
      if (isTyping(event.target)) return;
      const acts = {
        z: mod && (() => undo(event.shiftKey)), y: mod && (() => undo(true)), a: mod && (() => setNodes((all) => all.map((one) => ({ ...one, selected: true })))),
        d: mod && (() => paste(chosenPart(), 32)), "?": () => setHelp(true), "/": () => area.current.closest(".fl")?.querySelector(".fl-palette input")?.focus(),
        f: !mod && (() => flow.fitView({ padding: 0.18, maxZoom: 1, duration: 200 })), "+": !mod && (() => flow.zoomIn()), "-": !mod && (() => flow.zoomOut()),
        escape: () => { setPopup(null); setHelp(false); setNodes((all) => all.map((one) => (one.selected ? { ...one, selected: false } : one))); },
        t: !mod && !event.altKey && canEdit && tidy, n: !mod && !event.altKey && canEdit && addNote,
      };
      const isChange = ["z", "y", "d", "t", "n"].includes(key);
      if (key.startsWith("arrow")) return moveChosen(event);
      if (!acts[key] || (isChange && !canEdit)) return undefined;
      event.preventDefault();
      return acts[key]();
    };
    const moveChosen = (event) => {
      if (!canEdit || document.activeElement?.closest?.(".react-flow__node") || !flow.getNodes().some((one) => one.selected)) return;
      const by = event.shiftKey ? 4 * STEP : STEP;
      const [x, y] = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, -by], ArrowDown: [0, by] }[event.key];
      event.preventDefault();
      together("arrows:");
      setNodes((all) => all.map((one) => (one.selected ? { ...one, position: { x: one.position.x + x, y: one.position.y + y } } : one)));
    };
    window.addEventListener("keydown", keys);
    return () => window.removeEventListener("keydown", keys);
  }, [isActive, isNarrow, canEdit, undo, save, paste, chosenPart, tidy, addNote, flow, setNodes]);

  // Connecting --------------------------------------------------------------------------------------

  useEffect(() => {
    if (!said) return undefined;
    const timer = setTimeout(() => setSaid(""), 6000);
    return () => clearTimeout(timer);
  }, [said]);

  const check = useCallback((edge) => refusal(graphNow(), edge, kinds, ports), [graphNow, kinds, ports]);

  const onConnect = useCallback((wish) => {
    const why = check(wish);
    if (why) return setSaid(why);
    const source = graphNow().nodes.find((one) => one.id === wish.source);
    const output = outputsOf(source, kinds, ports).find((port) => port.name === wish.sourceHandle);
    return connect(wish.source, output, wish.target, { name: wish.targetHandle });
  }, [check, connect, graphNow, kinds, ports]);

  const onConnectEnd = useCallback((event, drawn) => {
    if (!drawn.fromHandle || drawn.isValid) return;
    if (drawn.toHandle) return setSaid(check(edgeBetween(drawn.fromHandle, drawn.toHandle)) || "");
    const point = event.changedTouches?.[0] || event;
    const over = document.elementFromPoint(point.clientX, point.clientY);
    const onto = over?.closest(".react-flow__node")?.dataset.id;
    if (onto) return connectToBody(drawn.fromHandle, onto);
    if (!over?.closest(".react-flow__pane") || !canEdit) return;
    const box = area.current.getBoundingClientRect();
    setPopup({ x: point.clientX - box.left, y: point.clientY - box.top, at: flow.screenToFlowPosition({ x: point.clientX, y: point.clientY - 30 }), from: drawn.fromHandle });
  }, [check, flow, canEdit]);

  /** Dropped on a node's card instead of one of its handles: the handle that fits is meant. */
  const connectToBody = (from, onto) => {
    const graph = graphNow();
    const [near, far] = [from.nodeId, onto].map((id) => graph.nodes.find((one) => one.id === id));
    if (!near || !far) return;
    const wish = from.type === "source"
      ? { source: near.id, sourceHandle: from.id, target: far.id, targetHandle: fittingInput(far, outputsOf(near, kinds, ports).find((port) => port.name === from.id), kinds)?.name }
      : { source: far.id, sourceHandle: fittingOutput(far, near, from.id, kinds, ports), target: near.id, targetHandle: from.id };
    onConnect(wish);
  };

  // What is shown -----------------------------------------------------------------------------------

  const steps = useMemo(() => stepsByNode(run), [run]);
  const foundByNode = useMemo(() => {
    const names = new Map(graphNow().nodes.map((node) => [node.id, `${nameOf(node, kinds)}: `]));
    const short = (one) => (one.sentence.startsWith(names.get(one.node_id)) ? { ...one, sentence: one.sentence.slice(names.get(one.node_id).length) } : one);
    return Object.groupBy((findings || []).map(short), (one) => one.node_id);
  }, [findings, kinds, graphNow]);
  const cut = useCallback((id) => setEdges((all) => all.filter((one) => one.id !== id)), [setEdges]);
  const whole = useMemo(() => ({ kinds, ports, findings: foundByNode, steps, choices, onCut: canEdit ? cut : null, onNote: canEdit ? setNote : null }), [kinds, ports, foundByNode, steps, choices, cut, canEdit, setNote]);
  const chosen = nodes.filter((one) => one.selected);
  const only = chosen.length === 1 ? chosen[0] : null;
  const choose = useCallback((id) => {
    setNodes((all) => all.map((one) => ({ ...one, selected: one.id === id })));
    setTimeout(() => reveal(flow, area.current, id), 30);
  }, [setNodes, flow]);
  useEffect(() => {
    if (focus?.node) choose(focus.node);
  }, [focus, choose]);
  useEffect(() => {
    if (run?.id) setTab("run");
  }, [run?.id]);
  const shownStep = only && tab === "run" && steps[only.id]?.number;
  useEffect(() => {
    if (shownStep) onStep?.({ node: only.id, number: shownStep });
  }, [shownStep, only?.id, run?.status]);

  const act = useMemo(() => ({ undo: () => undo(false), redo: () => undo(true), tidy, addNote, align, fit: () => flow.fitView({ padding: 0.18, maxZoom: 1, duration: 200 }), help: () => setHelp(true) }), [undo, tidy, addNote, align, flow]);
  const graph = memory.current.graph || asGraph(nodes, edges);

  if (isNarrow) return <Outline graph={graph} kinds={kinds} ports={ports} steps={steps} findings={foundByNode} choices={choices} />;
  return (
    <div className="fl">
      {mayEdit && !isTesting && <Palette kinds={listed || []} onAdd={add} />}
      <div className="fl-work">
        {mayEdit && <Toolbar act={act} depth={depth} count={chosen.length} saved={<Saved saved={saved} seq={seq} isKept={(memory.current.keptUpTo ?? seq) >= seq} onSave={save} />} findings={findings || []} onChoose={choose} graph={graph} kinds={kinds} workspace={workspace} onTest={() => { save(); onTest?.(); }} onPublish={() => { save(); onPublish?.(); }} />}
        <div className="fl-middle">
        <div className="fl-canvas" ref={area} onDragOver={(event) => { event.preventDefault(); event.dataTransfer.dropEffect = "copy"; }}
          onDrop={(event) => { event.preventDefault(); const kind = event.dataTransfer.getData("application/x-aerostic-kind"); if (kind) add(kind, flow.screenToFlowPosition({ x: event.clientX - 120, y: event.clientY - 30 })); }}>
          <Whole.Provider value={whole}>
            <ReactFlow nodes={nodes} edges={edges} nodeTypes={nodeTypes} edgeTypes={edgeTypes} onNodesChange={onNodesChange} onEdgesChange={onEdgesChange}
              onConnect={onConnect} onConnectEnd={onConnectEnd} isValidConnection={(wish) => check(wish) === null} connectionRadius={26}
              nodesDraggable={canEdit} nodesConnectable={canEdit} edgesReconnectable={false} deleteKeyCode={canEdit ? ["Backspace", "Delete"] : null}
              selectionKeyCode="Shift" multiSelectionKeyCode={["Control", "Meta"]} snapToGrid snapGrid={[STEP, STEP]} minZoom={0.15} maxZoom={1.75} colorMode={scheme}
              onPaneClick={() => setPopup(null)} onNodeClick={(event, one) => { setPopup(null); if (chosen.length > 1 && !event.ctrlKey && !event.metaKey && !event.shiftKey) choose(one.id); }} proOptions={{ hideAttribution: true }} ariaLabelConfig={WORDS}>
              <Background gap={STEP * 1.5} size={1.4} />
              <Controls showInteractive={false} position="bottom-left" />
              <MiniMap pannable zoomable position="bottom-right" ariaLabel="The whole workflow, small" nodeClassName={(one) => (one.type === "note" ? "fl-mini-note" : `fl-mini tone-${toneOf(kinds[one.data.kind]?.group)}`)} />
              <Refusal graph={graphNow} kinds={kinds} ports={ports} />
            </ReactFlow>
          </Whole.Provider>
          {nodes.length === 0 && opened?.number && canEdit && <div className="fl-empty"><strong>Begin with a trigger</strong><span>Drag one from the left, or click it. It says what starts a run.</span></div>}
          {popup && <PalettePopup kinds={listed || []} popup={popup} fits={(kind) => fits(kind, popup.from, graphNow(), kinds, ports)} onPick={(kind) => { add(kind, popup.at, { node: popup.from.nodeId, handle: popup.from.id, type: popup.from.type }); setPopup(null); }} onClose={() => setPopup(null)} />}
          {said && <div className="fl-said" role="status">{said}</div>}
        </div>
      {children}
      {only && (
        <Inspector key={only.id} workspace={workspace} node={only} kind={kinds[only.data.kind]} kinds={kinds} choices={choices} findings={foundByNode[only.id] || []} mayEdit={canEdit} tab={steps[only.id] ? tab : "settings"} onTab={setTab}
          summary={steps[only.id]} run={run} step={step?.node === only.id ? step : null} onStep={(number) => onStep?.({ node: only.id, number })}
          variables={() => variablesFor(only.id, graphNow(), kinds, samples)}
          onName={(name) => setData(only.id, { name }, "name")} onConfig={(config, path) => setData(only.id, { config }, `config.${path}`)} onRetries={(retries) => setData(only.id, { retries })}
          onNote={(change) => setNote(only.id, change)} onCopy={() => paste(chosenPart(), 32)} onRemove={removeChosen} onClose={() => choose("")} />
      )}
        </div>
      </div>
      {hasHelp && <Help onClose={() => setHelp(false)} />}
    </div>
  );
}

const WORDS = {
  "node.a11yDescription.default": "Press Enter or Space to choose this step, arrows to move it, Delete to remove it.",
  "edge.a11yDescription.default": "Press Enter or Space to choose this connection, Delete to remove it.",
  "controls.ariaLabel": "Zoom", "controls.zoomIn.ariaLabel": "Closer", "controls.zoomOut.ariaLabel": "Further away", "controls.fitView.ariaLabel": "Show all of it",
};

const NOTE = { width: 240, height: 120 };
const AS_DRAWN = { width: 240, height: 130 };

/** Steps that a program made without saying where they stand lie upon each other. */
const isHeap = (nodes) => nodes.length > 1 && nodes.every((one) => one.position.x === nodes[0].position.x && one.position.y === nodes[0].position.y);

function spreadOut(graph, typeOf) {
  const positions = tidied(graph.nodes, graph.edges, () => AS_DRAWN, typeOf);
  return { ...graph, nodes: graph.nodes.map((one) => ({ ...one, position: positions[one.id] })) };
}

function typeIn(graph, edge, kinds, ports) {
  const node = graph.nodes.find((one) => one.id === edge.source);
  return (node && outputsOf(node, kinds, ports).find((port) => port.name === edge.source_port)?.type) || "flow";
}

/** The next place further down that nothing covers. */
function besideAll(wish, size, nodes) {
  const at = { ...wish };
  const covers = (one) => at.x < one.position.x + (one.measured?.width || AS_DRAWN.width) && one.position.x < at.x + size.width && at.y < one.position.y + (one.measured?.height || AS_DRAWN.height) && one.position.y < at.y + size.height;
  while (nodes.some(covers)) at.y += 2 * STEP;
  return at;
}

/** Whether the canvas has taken over what was opened last. */
const isShown = (nodes, here) => nodes.length === here.graph.nodes.length + here.graph.notes.length && nodes.every((one) => one.data.of === here.opened);

/** Keep what was before this change, unless it continues the last one: typing is undone as a whole. */
function remember(here) {
  const isContinued = here.key && here.key === here.keyBefore && Date.now() - here.at < UNDONE_TOGETHER;
  if (!isContinued && here.last) here.undo = [...here.undo, here.last].slice(-MOST_UNDOS);
  here.redo = [];
  here.keyBefore = here.key;
  here.key = "";
  here.at = Date.now();
}

function followed(edge, before, now) {
  if (!now || now.some((port) => port.name === edge.sourceHandle)) return edge;
  const at = (before || []).findIndex((port) => port.name === edge.sourceHandle);
  if (at < 0 || before.length !== now.length || before.some((port) => port.name === now[at].name)) return before || now.length ? null : edge;
  return { ...edge, sourceHandle: now[at].name };
}

function saveOnLeaving(here, { workspace }) {
  if (!here.id || here.sent === here.seq || (here.keptUpTo ?? here.seq) >= here.seq) return;
  here.sent = here.seq;
  fetch(`/api/v1/workflows/${here.id}/draft`, {
    method: "PUT", keepalive: true, headers: { "Content-Type": "application/json", "X-Workspace": workspace }, body: JSON.stringify({ graph: here.graph, revision: here.revision ?? 0 }),
  }).catch(() => undefined);
}

function readPart(text) {
  try {
    const part = JSON.parse(text);
    return part?.[PART] === 1 && Array.isArray(part.nodes) ? part : null;
  } catch {
    return null;
  }
}

function reveal(flow, area, id) {
  const node = flow.getNode(id);
  if (!node || !area) return;
  const { x, y, zoom } = flow.getViewport();
  const box = area.getBoundingClientRect();
  const left = node.position.x * zoom + x;
  const top = node.position.y * zoom + y;
  const width = (node.measured?.width || 240) * zoom;
  const height = (node.measured?.height || 80) * zoom;
  if (left > 10 && top > 10 && left + width < box.width - 10 && top + height < box.height - 10) return;
  flow.setCenter(node.position.x + width / zoom / 2, node.position.y + height / zoom / 2, { zoom, duration: 250 });
}

/** How a node of this kind would be connected to the one that it is added from; null: it is not. */
function linkFrom(graph, from, kind, kinds, ports) {
  const node = graph.nodes.find((one) => one.id === from.node);
  if (!node) return null;
  if (from.type === "target") {
    const input = inputsOf(node, kinds).find((port) => port.name === from.handle);
    const output = kind.outputs.find((port) => port.type === input?.type);
    return output ? { node: node.id, output, input, isReversed: true } : null;
  }
  const isTaken = (port) => graph.edges.some((edge) => edge.source === node.id && edge.source_port === port.name);
  const outputs = outputsOf(node, kinds, ports).filter((port) => (from.handle ? port.name === from.handle : port.type === "flow" && port.name !== "error" && !isTaken(port)));
  const output = outputs.find((port) => kind.inputs.some((input) => input.type === port.type));
  const input = output && kind.inputs.find((one) => one.type === output.type);
  if (input && !(output.type === "flow" && isTaken(output))) return { node: node.id, output, input };
  const equipped = inputsOf(node, kinds).find((one) => one.type !== "flow" && kind.outputs[0]?.type === one.type);
  return equipped && !from.handle ? { node: node.id, output: kind.outputs[0], input: equipped, isReversed: true } : null;
}

const fits = (kind, from, graph, kinds, ports) => Boolean(linkFrom(graph, { node: from.nodeId, handle: from.id, type: from.type }, kind, kinds, ports));

function fittingOutput(far, near, handle, kinds, ports) {
  const wanted = inputsOf(near, kinds).find((port) => port.name === handle)?.type;
  const outputs = outputsOf(far, kinds, ports);
  return (outputs.find((port) => port.type === wanted) || outputs[0])?.name;
}

export function FlowEditor(props) {
  return <ReactFlowProvider><Editor {...props} /></ReactFlowProvider>;
}
