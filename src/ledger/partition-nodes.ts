/** The servers that hold partitions now, one object for each, shared by the partitions it holds. */
import type { Topology } from './topology.ts';

/** How a server's object comes into being and goes. */
export interface NodePorts<Node> {
  open(url: string): Node;
  close(node: Node): void;
}

/** Follows the map of partitions; see the module's comment. */
export class PartitionNodes<Node> {
  private readonly topology: Topology;
  private readonly ports: NodePorts<Node>;
  private readonly byUrl = new Map<string, Node>();
  private readonly byPartition: (Node | undefined)[] = [];
  private readonly stopFollowing: () => void;

  constructor(topology: Topology, ports: NodePorts<Node>) {
    this.topology = topology;
    this.ports = ports;
    this.stopFollowing = topology.onChange(() => this.follow());
    this.follow();
  }

  /** The server that holds the partition; undefined while nobody is known to. */
  of(partition: number): Node | undefined {
    return this.byPartition[partition];
  }

  /** All servers that hold a partition. */
  all(): Node[] {
    return [...this.byUrl.values()];
  }

  /** Closes all of them. */
  close(): void {
    this.stopFollowing();
    for (const node of this.byUrl.values()) this.ports.close(node);
    this.byUrl.clear();
    this.byPartition.fill(undefined);
  }

  private follow(): void {
    const wanted = new Set<string>();
    for (let partition = 0; partition < this.topology.partitions; partition += 1) {
      const url = this.topology.urlOf(partition);
      if (url !== undefined) wanted.add(url);
      this.byPartition[partition] = url === undefined ? undefined : this.nodeAt(url);
    }
    for (const [url, node] of this.byUrl) {
      if (wanted.has(url)) continue;
      this.byUrl.delete(url);
      this.ports.close(node);
    }
  }

  private nodeAt(url: string): Node {
    const node = this.byUrl.get(url) ?? this.ports.open(url);
    this.byUrl.set(url, node);
    return node;
  }
}
