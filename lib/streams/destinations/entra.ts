import { z } from "zod";
import { tokenOf } from "../access-token";
import type { Outcome, Reply, Transport } from "../destination";
import { classifyStatus, problem } from "../problems";
import { answerOf } from "../request";

/** Microsoft Entra: tokens of applications, in the clouds that have a sign-in of their own. */

export interface Cloud {
  label: string;
  /** Where tokens come from. */
  authority: string;
  /** Of Azure Monitor: names its audience and its endpoints. */
  domain: string;
}

export const PUBLIC: Cloud = {
  label: "Azure",
  authority: "https://login.microsoftonline.com/",
  domain: "monitor.azure.com",
};

export const CLOUDS: Record<string, Cloud> = {
  public: PUBLIC,
  government: {
    label: "Azure Government",
    authority: "https://login.microsoftonline.us/",
    domain: "monitor.azure.us",
  },
  china: {
    label: "Azure in China",
    authority: "https://login.chinacloudapi.cn/",
    domain: "monitor.azure.cn",
  },
};

interface Application {
  cloud: Cloud;
  tenant: string;
  client: string;
  secret: string;
}

const TOKEN = "access token";

const refusalSchema = z.object({ error: z.string(), error_description: z.string().optional() });

class NoToken extends Error {
  constructor(readonly outcome: Outcome) {
    super("Entra gave no token.");
  }
}

function classifySignIn(reply: Reply): Outcome {
  const refusal = answerOf(reply, refusalSchema);
  if (reply.status === 429 || reply.status >= 500) return classifyStatus(reply, "Microsoft Entra");
  const error = refusal?.error.slice(0, 40) ?? `http_${reply.status}`;
  const number = /AADSTS\d+/.exec(refusal?.error_description ?? "")?.[0];
  return {
    kind: "config_error",
    problem: problem(
      `entra_${error}`,
      `Microsoft Entra gives no token: ${error}${number ? `, ${number}` : ""}.`,
      error === "invalid_client"
        ? "Replace the client secret: it may have expired. Enter its value, not its id."
        : "Check the tenant and client ids.",
    ),
  };
}

/** OAuth 2.0 client credentials (RFC 6749 §4.4). */
function accessToken(application: Application, transport: Transport): Promise<string> {
  const { cloud, tenant, client, secret } = application;
  return transport.cached(TOKEN, async () => {
    const reply = await transport.http({
      method: "POST",
      url: `${cloud.authority}${tenant}/oauth2/v2.0/token`,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({
        grant_type: "client_credentials",
        client_id: client,
        client_secret: secret,
        scope: `https://${cloud.domain}/.default`,
      }).toString(),
      confidential: true,
    });
    const given = tokenOf(reply);
    if (!given) throw new NoToken(classifySignIn(reply));
    return given;
  });
}

/** Runs `request` with a token, and once more with a new one when it is answered 401. */
export async function withToken(
  application: Application,
  transport: Transport,
  request: (authorization: string) => Promise<Reply>,
  classify: (reply: Reply) => Outcome,
): Promise<Outcome> {
  const attempt = async () => request(`Bearer ${await accessToken(application, transport)}`);
  try {
    const reply = await attempt();
    if (reply.status !== 401) return classify(reply);
    transport.forget(TOKEN);
    return classify(await attempt());
  } catch (error) {
    if (error instanceof NoToken) return error.outcome;
    throw error;
  }
}
