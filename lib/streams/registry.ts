import type { z } from "zod";
import type { Batch, Destination, Frame, Outcome, Reply, Secrets } from "./destination";
import { splunk } from "./destinations/splunk";
import { webhook } from "./destinations/webhook";
import type { DestinationId, SplunkConfig, WebhookConfig } from "./schema";

/** A destination with its configuration: what the engine and the forms work with. */
export interface OpenDestination {
  readonly id: DestinationId;
  readonly label: string;
  readonly config: WebhookConfig | SplunkConfig;
  readonly url: string;
  readonly description: string;
  readonly secretNames: string[];
  parseSecret(name: string, value: string): string;
  generateSecret(name: string): string | null;
  frame(batch: Batch, secrets: Secrets): Frame;
  classify(reply: Reply, count: number): Outcome;
}

function withConfig<Config extends WebhookConfig | SplunkConfig>(
  destination: Destination<Config>,
  raw: unknown,
): OpenDestination {
  const config: z.infer<typeof destination.configSchema> = destination.configSchema.parse(raw);
  return {
    id: destination.id,
    label: destination.label,
    config,
    url: destination.url(config),
    description: destination.describe(config),
    secretNames: destination.secretNames(config),
    parseSecret: destination.parseSecret,
    generateSecret: destination.generateSecret,
    frame: (batch, secrets) => destination.frame(batch, config, secrets),
    classify: destination.classify,
  };
}

/** @throws ZodError when the configuration does not fit the destination. */
export function openDestination(id: DestinationId, config: unknown): OpenDestination {
  switch (id) {
    case "webhook":
      return withConfig(webhook, config);
    case "splunk":
      return withConfig(splunk, config);
  }
}
