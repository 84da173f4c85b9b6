// On a telephone: the workflow to read, from its triggers on.
import { KindIcon, StatusSign, nameOf, settingsInWords, toneOf } from "./signs.jsx";
import { outputsOf } from "./rules.js";

/** Nodes in the order in which a run meets them; what equips an agent after all of that. */
function inOrder(graph, kinds) {
  const begins = graph.nodes.filter((node) => kinds[node.kind]?.is_trigger);
  const seen = new Set();
  const order = [];
  const visit = (node) => {
    if (!node || seen.has(node.id)) return;
    seen.add(node.id);
    order.push(node);
    graph.edges.filter((edge) => edge.source === node.id).forEach((edge) => visit(graph.nodes.find((one) => one.id === edge.target)));
  };
  begins.forEach(visit);
  graph.nodes.forEach(visit);
  return order;
}

export function Outline({ graph, kinds, ports, steps, findings, choices }) {
  const order = inOrder(graph, kinds);
  const numbers = new Map(order.map((node, at) => [node.id, at + 1]));
  if (!order.length) return <p className="fl-quiet fl-outline-none">There are no steps yet. Draw the workflow on a wider screen.</p>;
  return (
    <ol className="fl-outline" aria-label="The steps of the workflow">
      {order.map((node) => {
        const leads = graph.edges.filter((edge) => edge.source === node.id);
        const titled = outputsOf(node, kinds, ports);
        return (
          <li key={node.id} className={`tone-${toneOf(kinds[node.kind]?.group)}`}>
            <span className="fl-tile"><KindIcon name={kinds[node.kind]?.icon} /></span>
            <div>
              <p className="fl-outline-name"><strong>{numbers.get(node.id)}. {nameOf(node, kinds)}</strong>{steps[node.id] && <StatusSign status={steps[node.id].status} />}</p>
              <p className="fl-quiet">{settingsInWords(node, kinds[node.kind], choices)}</p>
              {(findings[node.id] || []).map((one) => <p key={one.sentence} className={`fl-found is-${one.severity}`}>{one.sentence}</p>)}
              {steps[node.id]?.error && <p className="fl-found is-error">{steps[node.id].error}</p>}
              {leads.length > 0 && (
                <ul>
                  {leads.map((edge) => {
                    const target = graph.nodes.find((one) => one.id === edge.target);
                    return target && <li key={edge.id}>{titled.find((port) => port.name === edge.source_port)?.title || edge.source_port} → {numbers.get(target.id)}. {nameOf(target, kinds)}</li>;
                  })}
                </ul>
              )}
            </div>
          </li>
        );
      })}
    </ol>
  );
}
