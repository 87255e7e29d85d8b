import { z } from "zod";
import { defineDestination, type Outcome, type Reply, type Secrets } from "../destination";
import { endpoint } from "../endpoint";
import { field } from "../form";
import { LINE_FORMATS } from "../formats";
import { frameLines, prefixField, putAll, rootOf, type Store, slashed } from "../object-store";
import { problem } from "../problems";
import { BLOB_LISTING, readObjects } from "../read-objects";
import { classifyAnswer, codeOf, problemCode, type Words, xmlText } from "../store-answers";

/** Taken by every storage account since 2022; it also names the error in a header. */
const VERSION = "2021-12-02";
const STORE = "Blob Storage";
const MAKE_ANOTHER = "Make another SAS with permission to create and write, and enter it here.";

const PASSING = ["ServerBusy", "Md5Mismatch", "OperationTimedOut"];
/** The last where the SAS permits to create alone. */
const TAKEN = ["BlobAlreadyExists", "BlobImmutableDueToPolicy", "UnauthorizedBlobOverwrite"];

const WRONG: Record<string, Words> = {
  AuthenticationFailed: ["the SAS is not accepted.", MAKE_ANOTHER],
  AuthorizationPermissionMismatch: ["the SAS does not permit it.", MAKE_ANOTHER],
  AuthorizationResourceTypeMismatch: [
    "the SAS does not reach blobs.",
    "Make a SAS of the container, or one of the account with objects as a resource type.",
  ],
  AuthorizationServiceMismatch: ["the SAS is of another service.", MAKE_ANOTHER],
  AuthorizationProtocolMismatch: ["the SAS demands another protocol.", MAKE_ANOTHER],
  AuthorizationSourceIPMismatch: [
    "the SAS does not permit this server's address.",
    "Make a SAS without addresses, or with this server's.",
  ],
  AuthorizationFailure: [
    "the account's network rules refuse this server, or the SAS is wrong.",
    "Permit this server's address under the storage account's networking, or make another SAS.",
  ],
  PublicAccessNotPermitted: ["no SAS arrived.", "Enter the SAS again."],
  ContainerNotFound: ["there is no such container.", "Create the container, or correct its name."],
  ContainerBeingDeleted: ["the container is being deleted.", "Choose another container."],
  AccountIsDisabled: ["the account is disabled.", "Enable the storage account."],
};

/** `se`; null where a stored access policy of the container says it. */
function endOf(sas: string): Date | null {
  const end = Date.parse(new URLSearchParams(sas).get("se") ?? "");
  return Number.isNaN(end) ? null : new Date(end);
}

/** What follows the question mark of a SAS URL; the whole URL is taken too. */
const sharedAccess = z.string().transform((entered, context) => {
  const sas = entered.slice(entered.indexOf("?") + 1);
  const query = new URLSearchParams(sas);
  const permissions = query.get("sp");
  const end = endOf(sas);
  if (!/^[\x21-\x7e]{1,4096}$/.test(sas) || !query.get("sig"))
    context.addIssue("Enter a shared access signature: sv=…&sig=…, or the URL that has it.");
  else if (permissions !== null && !/[cw]/.test(permissions))
    context.addIssue(`This SAS permits ${permissions}: it needs c, to create, or w, to write.`);
  else if (end && end < new Date()) context.addIssue(`This SAS expired at ${end.toISOString()}.`);
  return sas;
});

function classify(reply: Reply): Outcome {
  const detail = xmlText(reply.body, "AuthenticationErrorDetail");
  if (codeOf(reply) !== "AuthenticationFailed" || !detail?.includes("time frame"))
    return classifyAnswer(reply, { store: STORE, passing: PASSING, wrong: WRONG });
  const message = `${STORE} answered ${reply.status}: the SAS has expired, or is not valid yet.`;
  const cause = problem(problemCode(STORE, "expired"), message, MAKE_ANOTHER);
  return { kind: "config_error", problem: cause };
}

const open = ({ sas }: Secrets): Store => ({
  sign: ({ url, headers, ...request }) => ({
    ...request,
    url: `${url}${url.includes("?") ? "&" : "?"}${sas}`,
    headers: { ...headers, "x-ms-version": VERSION },
  }),
  headers: { "x-ms-blob-type": "BlockBlob" },
  ifAbsent: { "if-none-match": "*" },
  isTaken: (reply) => TAKEN.includes(codeOf(reply) ?? ""),
  digestHeader: "x-ms-meta-sha256",
  classify,
});

/** Put Blob of Azure's Blob Storage, by a shared access signature. */
export const azureBlob = defineDestination({
  id: "azure-blob",
  label: "Azure Blob Storage",
  about: "One compressed block blob per batch, by a shared access signature.",
  contractType: "GenericHttps",
  formats: LINE_FORMATS,
  configSchema: z.strictObject({
    url: field(
      endpoint().refine(
        (url) => /^\/[^?]+$/.test(url.replace(/^\w+:\/\/[^/]+/, "")),
        "The container's address alone; what follows the question mark is the secret.",
      ),
      {
        label: "Container",
        kind: "url",
        placeholder: "https://acme.blob.core.windows.net/audit",
        hint: "An immutability policy of the container keeps blobs from being deleted.",
      },
    ),
    prefix: prefixField(),
  }),
  secrets: {
    sas: {
      label: "Shared access signature",
      placeholder: "sv=…&sp=cw&sig=…",
      hint: "Of the container, with permission to create and write; to read and list too, if what lies there shall be compared with the log.",
      schema: sharedAccess,
      expiresAt: endOf,
    },
  },
  endpoint: (config) => config.url,
  describe: ({ url, prefix }) => `${url}${prefix ? `/${prefix}` : ""}`,
  deadlineMs: () => 20_000,

  frame: (batch, { url, prefix }) => frameLines(batch, rootOf(slashed(url), prefix)),
  send: (frame, _config, secrets, transport) => putAll(frame, open(secrets), transport),
  classify,
  readBack: (prefixes, { url, prefix }, secrets, transport) =>
    readObjects(prefixes, transport, {
      open: async () => open(secrets),
      ...{ bucket: slashed(url), prefix, listing: BLOB_LISTING },
      permissions: "r, to read, and l, to list, to the SAS",
    }),
});
