/**
 * The calls of DreamAdmin: JSON-RPC by POST, with the operator's token. Times are ms since 1970.
 */

import { serverPath } from "../browser/server";

export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface State {
  readonly readOnly: boolean;
  readonly resting: boolean;
  readonly style: string;
  readonly announcement: string;
  readonly users: number;
}

export interface Painted {
  readonly author: number;
  readonly address: string;
  readonly token: string;
  readonly dabs: number;
  readonly firstTime: number;
  readonly lastTime: number;
  readonly color: number;
  readonly banned: boolean;
}

export interface Ban {
  readonly ban: number;
  readonly author: number;
  readonly address: string;
  readonly until: number;
  readonly reason: string;
}

export interface Act {
  readonly act: number;
  readonly time: number;
  readonly what: string;
  readonly details: string;
  readonly seq: number;
}

interface Methods {
  state: [Record<string, never>, State];
  readOnly: [{ on: boolean }, State];
  rest: [{ on: boolean }, State];
  nextStyle: [Record<string, never>, State];
  announce: [{ text: string }, State];
  who: [Region, { painted?: Painted[] }];
  ban: [
    { author?: number; address?: string; authorOnly?: boolean; seconds: number; reason: string },
    Ban,
  ];
  unban: [{ ban: number }, { bans?: Ban[] }];
  bans: [Record<string, never>, { bans?: Ban[] }];
  restore: [{ region?: Region; authors?: number[]; time?: number }, { seq: number; dabs: number }];
  acts: [{ limit: number }, { acts?: Act[] }];
}

/** The server refused the call; the message is a sentence for the operator. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly code: string;

  constructor(code: string, sentence: string) {
    super(sentence);
    this.code = code;
  }
}

/** The server was not reached. */
export class Unreached extends Error {
  override readonly name = "Unreached";
}

interface Answer<T> {
  readonly result?: T;
  readonly error?: { readonly message: string; readonly data: { readonly name: string } };
}

/** The server, for one operator. */
export class AdminClient {
  private readonly token: string;

  constructor(token: string) {
    this.token = token;
  }

  /** Calls a method of DreamAdmin. Rejects with Refused or Unreached. */
  async call<M extends keyof Methods>(method: M, params: Methods[M][0]): Promise<Methods[M][1]> {
    let answer: Answer<Methods[M][1]>;
    try {
      const response = await fetch(serverPath("/rpc"), {
        method: "POST",
        headers: { Authorization: `Bearer ${this.token}`, "Content-Type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: `admin.${method}`, params }),
      });
      answer = (await response.json()) as Answer<Methods[M][1]>;
    } catch (error) {
      throw new Unreached(String(error));
    }
    if (answer.error) throw new Refused(answer.error.data.name, answer.error.message);
    if (answer.result === undefined) throw new Unreached("no result");
    return answer.result;
  }
}
