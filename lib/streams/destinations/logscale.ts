import { z } from "zod";
import { defineDestination } from "../destination";
import { authority, baseAddress, optionalText, token, trusting } from "../endpoint";
import { field } from "../form";
import { OBJECT_FORMATS } from "../formats";
import { COLLECTOR_PATH, classifyHec, frameHec } from "./hec";

/**
 * Falcon LogScale's collector, which speaks HEC without acknowledgement.
 * @see https://library.humio.com/logscale-api/log-shippers-hec.html
 */
export const logscale = defineDestination({
  id: "logscale",
  label: "Falcon LogScale",
  about: "CrowdStrike Falcon LogScale, formerly Humio, by its HTTP Event Collector.",
  contractType: "GenericHttps",
  formats: OBJECT_FORMATS,
  configSchema: z.strictObject({
    url: field(baseAddress(COLLECTOR_PATH), {
      label: "LogScale address",
      kind: "url",
      placeholder: "https://cloud.us.humio.com",
      hint: "The path /api/v1/ingest/hec is added.",
    }),
    sourcetype: optionalText("Parser", { hint: "Empty: the token's own." }),
    source: optionalText("Source", { placeholder: "trailseal" }),
    ca: authority(),
  }),
  secrets: {
    token: {
      label: "Ingest token",
      hint: "From the repository's settings. Never shown again after saving.",
      schema: token("An ingest token"),
    },
  },
  endpoint: (config) => config.url,
  boundTo: (config) => config.ca,
  describe: (config) => new URL(config.url).host,

  frame(batch, { url, source, sourcetype, ...rest }, secrets) {
    return frameHec(
      batch,
      { source, ...(sourcetype ? { sourcetype } : {}) },
      {
        url: new URL("api/v1/ingest/hec", url).toString(),
        headers: { authorization: `Bearer ${secrets.token ?? ""}` },
        ...trusting(rest),
      },
    );
  },

  classify: (reply, count) => classifyHec(reply, count, "LogScale", false),
});
