/**
 * Fetches the newest dream, and when it has come, the one that is the newest by then: on a slow
 * line, those in between are left out. A hidden page fetches none; when it is seen again it fetches
 * the newest. Where the whole canvas is small on the screen, as on a telephone, dreams are fetched
 * in half their size, and the present one in full when it is looked at closely.
 */

import type { Pixels } from "../replica/pixels";
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
  /** Whether the replica's base may be replaced now. */
  mayLay(): boolean;
  /** Whether a picture of half the size is as good, as the canvas is shown now. */
  halfIsEnough(): boolean;
  /** Starts over from the server's picture, since operations after the dream are missing. */
  reload(): Promise<void>;
  /** An attempt to fetch a dream has ended. */
  laid(): void;
}

export class Dreams {
  private readonly replica: Replica;
  private readonly pictures: Pictures;
  private readonly host: DreamsHost;
  private newest: Dream | undefined;
  private visible = true;
  private fetching = false;
  private failures = 0;
  private half = false;

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

  /**
   * Whether the replica's base was made from a picture of half the size: then its pixels are not
   * the server's.
   */
  get coarse(): boolean {
    return this.half;
  }

  /** The picture of a dream, in the size that is needed now. */
  async picture(url: string): Promise<{ readonly pixels: Pixels; readonly half: boolean }> {
    const half = this.host.halfIsEnough();
    return { pixels: await this.pictures.dream(url, half), half };
  }

  /**
   * The replica got another base from elsewhere; `half` where it was made from a picture of half
   * the size.
   */
  based(half: boolean): void {
    this.half = half;
  }

  /** Begins to fetch the newest dream, where it is needed and may be laid now. */
  pursue(): void {
    const target = this.newest;
    if (!target || this.fetching || !this.host.mayLay() || !this.wants(target)) return;
    if (!this.visible) this.replica.trim(target.seq);
    else if (this.replica.canLay(target.seq)) void this.fetch(target);
    else void this.host.reload();
  }

  /** A newer dream, or the present one in more detail. */
  private wants({ dream }: Dream): boolean {
    const finer = this.half && !this.host.halfIsEnough();
    return dream > this.replica.dream || (finer && dream === this.replica.dream);
  }

  private async fetch(target: Dream): Promise<void> {
    this.fetching = true;
    this.replica.trim(target.seq);
    try {
      const { pixels, half } = await this.picture(target.url);
      this.failures = 0;
      if (this.wants(target) && this.replica.canLay(target.seq) && this.host.mayLay()) {
        this.half = half;
        this.replica.lay(pixels, target.dream, target.seq);
      }
    } catch {
      await sleep(Math.min(RETRY_MOST_MS, RETRY_MS * 2 ** this.failures));
      this.failures += 1;
    }
    this.fetching = false;
    this.host.laid();
    this.pursue();
  }
}
