// A form that sends a passkey's answer. When it is submitted the question is
// fetched from data-options and put to the authenticator; the answer goes into
// the hidden input named passkey (or marked data-answer) and the form is sent.
// data-unsupported, data-cancelled and data-failed are the words.
import { text } from "./island";

type Descriptor = { id: string; type: "public-key"; transports?: AuthenticatorTransport[] };
type Options = {
  challenge: string;
  user?: { id: string; name: string; displayName: string };
  excludeCredentials?: Descriptor[];
  allowCredentials?: Descriptor[];
};

function bytes(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (c) => c.charCodeAt(0));
}

function base64url(buffer: ArrayBuffer | null): string | undefined {
  if (!buffer) return undefined;
  let plain = "";
  for (const b of new Uint8Array(buffer)) plain += String.fromCharCode(b);
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function decoded(list?: Descriptor[]): PublicKeyCredentialDescriptor[] | undefined {
  return list?.map((d) => ({ ...d, id: bytes(d.id) }));
}

async function ask(url: string): Promise<PublicKeyCredential> {
  const answer = await fetch(url, { method: "POST", headers: { Accept: "application/json" } });
  if (answer.status === 403 || answer.status === 401) location.reload();
  if (!answer.ok) throw new Error(`${answer.status}`);
  const { publicKey: o } = (await answer.json()) as { publicKey: Options };
  const shared = { ...o, challenge: bytes(o.challenge) };
  const made = o.user
    ? await navigator.credentials.create({
        publicKey: {
          ...shared,
          user: { ...o.user, id: bytes(o.user.id) },
          excludeCredentials: decoded(o.excludeCredentials),
        } as unknown as PublicKeyCredentialCreationOptions,
      })
    : await navigator.credentials.get({
        publicKey: { ...shared, allowCredentials: decoded(o.allowCredentials) } as PublicKeyCredentialRequestOptions,
      });
  if (!made) throw new Error("no credential");
  return made as PublicKeyCredential;
}

// JSON of WebAuthn Level 3, section 5.1: every buffer is base64url.
function encoded(c: PublicKeyCredential): string {
  const response: Record<string, unknown> = { clientDataJSON: base64url(c.response.clientDataJSON) };
  if (c.response instanceof AuthenticatorAttestationResponse) {
    response.attestationObject = base64url(c.response.attestationObject);
    response.transports = c.response.getTransports();
  } else {
    const r = c.response as AuthenticatorAssertionResponse;
    response.authenticatorData = base64url(r.authenticatorData);
    response.signature = base64url(r.signature);
    response.userHandle = base64url(r.userHandle);
  }
  return JSON.stringify({
    id: c.id,
    rawId: base64url(c.rawId),
    type: c.type,
    authenticatorAttachment: c.authenticatorAttachment ?? undefined,
    clientExtensionResults: c.getClientExtensionResults(),
    response,
  });
}

function complain(form: HTMLFormElement, words: string): void {
  let p = form.querySelector<HTMLElement>(".passkey-error");
  if (!p) {
    p = document.createElement("p");
    p.className = "error form-error passkey-error";
    p.setAttribute("role", "alert");
    form.prepend(p);
  }
  p.textContent = words;
}

export function mount(el: HTMLElement): () => void {
  const form = el as HTMLFormElement;
  const field = form.querySelector<HTMLInputElement>('[data-answer], input[name="passkey"]');
  const button = form.querySelector<HTMLButtonElement>("button");
  const submit = async (e: SubmitEvent) => {
    e.preventDefault();
    if (!field || !window.PublicKeyCredential) return complain(form, text(form, "unsupported"));
    if (button) button.disabled = true;
    try {
      field.value = encoded(await ask(text(form, "options")));
      form.submit();
    } catch (err) {
      const known = err instanceof DOMException && ["NotAllowedError", "AbortError", "InvalidStateError"].includes(err.name);
      complain(form, text(form, known ? "cancelled" : "failed"));
    } finally {
      if (button) button.disabled = false;
    }
  };
  const listen = (e: SubmitEvent) => void submit(e);
  form.addEventListener("submit", listen);
  return () => form.removeEventListener("submit", listen);
}
