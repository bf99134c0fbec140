/** Who comes without a session. */
import { type Html, html } from "../html.ts";
import { notice, type Page } from "../layout.ts";

export interface SignInState {
  /** The page to continue with. */
  readonly to: string;
  readonly why: string | null;
  readonly takesTokens: boolean;
}

export function signInPage({ to, why, takesTokens }: SignInState): Page {
  const body = takesTokens ? form(to, why) : noTokens;
  return { title: "Sign in", place: null, body };
}

function form(to: string, why: string | null): Html {
  return html`<p>The console is for operators. Sign in with an operator's token:
<code>connector-registrar tokens create --role operator --name &lt;name&gt;</code> makes one.</p>
${why !== null && html`<div role="alert">${notice("bad", why)}</div>`}
<form method="post" action="/console/sign-in" class="fields">
<input type="hidden" name="to" value="${to}">
<p><label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required maxlength="200"></p>
<p><button>Sign in</button></p>
</form>`;
}

const noTokens = html`${notice("warn", "The console takes operators' tokens, and this service knows none: TOKENS_FILE is not set.")}
<p>Type <code>export TOKENS_FILE=&lt;path&gt;</code>, then
<code>connector-registrar tokens create --role operator --name &lt;name&gt;</code>, and start the service again.</p>`;
