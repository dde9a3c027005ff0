/** Who is signed in. The token stays in this tab. */
import { element } from "../browser/dom";
import { forget, keep, recall } from "../storage/keep";
import { AdminClient, type State } from "./api";

const KEY = "dreamcanvas-admin-token";

export class SignIn {
  readonly form = element("sign-in", HTMLFormElement);
  private current: AdminClient | undefined;

  get signedIn(): boolean {
    return this.current !== undefined;
  }

  /** Calls to the server with the operator's token. Throws where nobody is signed in. */
  get client(): AdminClient {
    if (!this.current) throw new Error("nobody is signed in");
    return this.current;
  }

  /** The token that was typed in. */
  get typed(): string {
    return element("token", HTMLInputElement).value.trim();
  }

  /** The token with which this tab was signed in before a reload, or null. */
  get kept(): string | null {
    return recall("sessionStorage", KEY);
  }

  /**
   * Signs in and returns the canvas' state. Rejects with Refused where the server does not take the
   * token, or Unreached.
   */
  async enter(token: string): Promise<State> {
    const client = new AdminClient(token);
    const state = await client.call("state", {});
    keep("sessionStorage", KEY, token);
    this.current = client;
    this.show(true);
    return state;
  }

  leave(): void {
    forget("sessionStorage", KEY);
    this.current = undefined;
    this.form.reset();
    this.show(false);
  }

  private show(signedIn: boolean): void {
    this.form.hidden = signedIn;
    element("desk", HTMLElement).hidden = !signedIn;
    element("sign-out", HTMLButtonElement).hidden = !signedIn;
    document.documentElement.dataset.phase = signedIn ? "live" : "signed-out";
  }
}
