import { compareKeys } from './duplicate-item.ts';

/** An edge between two nodes, `a` and `b` being positions in the list of node keys. */
export interface Edge {
  a: number;
  b: number;
  similarity: number;
}

export interface Cluster<E extends Edge> {
  /** Node positions, ascending by key. */
  nodes: number[];
  /** The least alike two of its nodes. */
  weakest: E;
}

/**
 * Complete-link clusters of the graph of similar pairs: every two nodes of a cluster have an edge, so nothing unlike is
 * chained together. Agglomerative: the edges are taken from the strongest down, and two clusters are joined at the moment
 * when the last edge between them appears, which is when their least alike members are the most alike of all clusters'.
 * Ties go by node key, so the result depends on neither the order of nodes nor that of edges.
 *
 * Time O(E log E) for E edges. Clusters of one node are left out.
 */
export function completeLinkClusters<E extends Edge>(
  keys: readonly string[],
  edges: readonly E[],
): Cluster<E>[] {
  const rank = ranks(keys);
  const sorted = edges
    .map((edge) => {
      const [low, high] =
        (rank[edge.a] as number) < (rank[edge.b] as number) ? [edge.a, edge.b] : [edge.b, edge.a];
      return { ...edge, a: low, b: high };
    })
    .sort(
      (x, y) =>
        y.similarity - x.similarity ||
        (rank[x.a] as number) - (rank[y.a] as number) ||
        (rank[x.b] as number) - (rank[y.b] as number),
    );

  const clusterOf = Array.from(keys, (_, node) => node);
  const members = new Map<number, number[]>();
  const weakest = new Map<number, E>();
  // For every cluster: how many edges to each other cluster have been seen.
  const seen = new Map<number, Map<number, number>>();
  const membersOf = (cluster: number) => members.get(cluster) ?? [cluster];
  const seenOf = (cluster: number) => {
    let counts = seen.get(cluster);
    if (!counts) {
      counts = new Map();
      seen.set(cluster, counts);
    }
    return counts;
  };

  for (const edge of sorted) {
    const first = clusterOf[edge.a] as number;
    const second = clusterOf[edge.b] as number;
    if (first === second) continue;
    const count = (seenOf(first).get(second) ?? 0) + 1;
    if (count < membersOf(first).length * membersOf(second).length) {
      seenOf(first).set(second, count);
      seenOf(second).set(first, count);
      continue;
    }
    const [into, from] = seenOf(first).size >= seenOf(second).size ? [first, second] : [second, first];
    const joined = [...membersOf(into), ...membersOf(from)];
    for (const node of membersOf(from)) clusterOf[node] = into;
    members.set(into, joined);
    members.delete(from);
    weakest.set(into, edge);
    weakest.delete(from);
    seenOf(into).delete(from);
    for (const [other, between] of seenOf(from)) {
      seenOf(other).delete(from);
      if (other === into) continue;
      const total = between + (seenOf(into).get(other) ?? 0);
      seenOf(into).set(other, total);
      seenOf(other).set(into, total);
    }
    seen.delete(from);
  }

  return [...members].map(([cluster, nodes]) => ({
    nodes: nodes.sort((a, b) => (rank[a] as number) - (rank[b] as number)),
    weakest: weakest.get(cluster) as E,
  }));
}

function ranks(keys: readonly string[]): Int32Array {
  const order = [...keys.keys()].sort((a, b) => compareKeys(keys[a] as string, keys[b] as string));
  const rank = new Int32Array(keys.length);
  for (const [position, node] of order.entries()) rank[node] = position;
  return rank;
}
