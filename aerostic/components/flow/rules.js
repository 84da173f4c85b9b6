// What may be connected to what: the steps of the server's `rules.py` with its own sentences, which come with the
// catalogue. The server checks again on every save.

const A_TYPE = { flow: "a step", model: "a model", tool: "a tool", memory: "a memory", knowledge: "a knowledge base" };

let sentences = {};
export const learnSentences = (given) => {
  sentences = given || {};
};

const say = (which, names = {}) => (sentences[which] || "That can not be connected.").replace(/\{(\w+)\}/g, (_, name) => names[name] ?? "");

const nameOf = (node, kinds) => node.name || kinds[node.kind]?.title || node.kind;

export const inputsOf = (node, kinds) => kinds[node.kind]?.inputs || [];

/** The outputs of a node as it is set now; the server tells those that depend on settings. */
export const outputsOf = (node, kinds, ports) => ports?.[node.id] || kinds[node.kind]?.outputs || [];

function whyNoInput(node, kinds) {
  if (kinds[node.kind]?.is_trigger) return "trigger";
  return kinds[node.kind]?.is_equipment ? "equipment" : "no_input";
}

/** Why `edge` (as React Flow names its ends) can not be added to the graph; null: it can. */
export function refusal(graph, edge, kinds, ports) {
  const find = (id) => graph.nodes.find((node) => node.id === id);
  const source = find(edge.source);
  const target = find(edge.target);
  if (!source) return say("no_source");
  if (!target) return say("no_target");
  const names = { source: nameOf(source, kinds), target: nameOf(target, kinds) };
  if (source.id === target.id) return say("itself");
  if (edge.bothAre === "target") return say("no_output", names);
  const portOf = (node, name) => outputsOf(node, kinds, ports).find((port) => port.name === name);
  const output = portOf(source, edge.sourceHandle);
  if (!output) return say("no_output", names);
  const entry = edge.bothAre ? null : inputsOf(target, kinds).find((port) => port.name === edge.targetHandle);
  if (!entry) return say(whyNoInput(target, kinds), names);
  if (output.type !== entry.type) return say("wrong_type", { ...names, wanted: A_TYPE[entry.type], given: A_TYPE[output.type], port: entry.title });
  const others = graph.edges.filter((one) => one.id !== edge.id);
  const leaves = (one) => one.source === source.id && one.source_port === output.name;
  const enters = (one) => one.target === target.id && one.target_port === entry.name;
  if (others.some((one) => leaves(one) && enters(one))) return say("twice");
  const isFlow = output.type === "flow";
  if (isFlow && others.some(leaves)) return say("output_taken", { ...names, port: output.title });
  if (!entry.many && others.some(enters)) return say("input_taken", { ...names, port: entry.title });
  const typeOf = (one) => portOf(find(one.source) || {}, one.source_port)?.type;
  const isStep = (id) => others.some((one) => (one.source === id || one.target === id) && typeOf(one) === "flow");
  const isTool = (id) => others.some((one) => one.source === id && typeOf(one) === "tool");
  if (output.type === "tool" && isStep(source.id)) return say("tool_is_step", names);
  if (!isFlow) return null;
  if (isTool(source.id)) return say("step_is_tool", { node: names.source });
  return isTool(target.id) ? say("step_is_tool", { node: names.target }) : null;
}

/** Where on `target` a connection of this output may end: the first input that takes its type. */
export function fittingInput(target, output, kinds) {
  const inputs = inputsOf(target, kinds);
  return inputs.find((port) => port.type === output?.type) || inputs[0];
}
