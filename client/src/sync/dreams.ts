/**
 * Fetches the newest dream, then the one that is the newest by then: the latest wins, and on a slow line none waits for
 * ever. A hidden page fetches none; when it is seen again it fetches the newest.
 */
import type { Replica } from "../replica/replica";
import type { Pictures } from "./pictures";
import { RETRY_MOST_MS, RETRY_MS, sleep } from "./retry";

export interface Dream {
  readonly dream: number;
  /** The last operation that it contains. */
  readonly seq: number;
  readonly url: string;
}

export interface DreamsHost {
  /** Whether the replica is in a state in which its base may be replaced. */
  mayLay(): boolean;
  /** Starts over from the server's picture, since operations after the dream are missing. */
  reload(): Promise<void>;
  laid(): void;
}

export function dreamPath(dream: number): string {
  return `/dreams/${dream}.jpg`;
}

export class Dreams {
  private readonly replica: Replica;
  private readonly pictures: Pictures;
  private readonly host: DreamsHost;
  private newest: Dream | undefined;
  private visible = true;
  private fetching = false;
  private failures = 0;

  constructor(replica: Replica, pictures: Pictures, host: DreamsHost) {
    this.replica = replica;
    this.pictures = pictures;
    this.host = host;
  }

  /** The server has a new dream. */
  offer(dream: Dream): void {
    this.newest = dream;
    this.pursue();
  }

  setVisible(visible: boolean): void {
    this.visible = visible;
    this.pursue();
  }

  /** Fetches the newest dream where that is to be done now. */
  pursue(): void {
    const target = this.newest;
    if (!target || this.fetching || !this.host.mayLay() || target.dream <= this.replica.dream) return;
    if (!this.visible) this.replica.trim(target.seq);
    else if (this.replica.canLay(target.seq)) void this.fetch(target);
    else void this.host.reload();
  }

  private async fetch(target: Dream): Promise<void> {
    this.fetching = true;
    this.replica.trim(target.seq);
    try {
      const picture = await this.pictures.dream(target.url);
      this.failures = 0;
      const wanted = target.dream > this.replica.dream && this.replica.canLay(target.seq);
      if (wanted && this.host.mayLay()) this.replica.lay(picture, target.dream, target.seq);
    } catch {
      await sleep(Math.min(RETRY_MOST_MS, RETRY_MS * 2 ** this.failures));
      this.failures += 1;
    }
    this.fetching = false;
    this.host.laid();
    this.pursue();
  }
}
