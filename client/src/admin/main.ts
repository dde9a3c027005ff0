/** Starts the operator's page. */
import { element } from "../browser/dom";
import { translate } from "../words/language";
import { Attempts } from "./attempts";
import { Desk } from "./desk";
import { SignIn } from "./sign_in";
import { words } from "./words";

const REFRESH_MS = 5000;

function start(): void {
  const signIn = new SignIn();
  const attempts = new Attempts(() => signIn.leave());
  const desk = new Desk(() => signIn.client, attempts);
  const enter = async (token: string): Promise<undefined> => {
    await desk.open(await signIn.enter(token));
  };
  attempts.onSubmit(signIn.form, () => enter(signIn.typed));
  element("sign-out", HTMLButtonElement).addEventListener("click", () => {
    signIn.leave();
    attempts.say("");
  });
  setInterval(() => {
    if (signIn.signedIn && !document.hidden) desk.refreshPicture();
  }, REFRESH_MS);
  const { kept } = signIn;
  if (kept) void attempts.run(() => enter(kept));
}

translate(document, words);
start();
