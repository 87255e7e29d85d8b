import { z } from "zod";
import type { Frame } from "./destination";
import { field } from "./form";

/** What addresses and names of headers may be, for every destination that asks for them. */

/** An http(s) address without credentials and fragment, as `URL` writes it. */
export const endpoint = () =>
  z
    .string()
    .trim()
    .max(2_000)
    .refine(
      (text) => URL.canParse(text),
      "Enter a complete address, such as https://siem.example.com/audit.",
    )
    .refine(
      (text) => !URL.canParse(text) || /^https?:$/.test(new URL(text).protocol),
      "The address must begin with https://.",
    )
    .refine(
      (text) => !URL.canParse(text) || (!new URL(text).username && !new URL(text).password),
      "The address must not contain a user name or password. Use a custom header.",
    )
    .transform((text) => {
      const url = new URL(text);
      url.hash = "";
      return url.toString();
    });

/** An address under which `path` is asked for: ends in a slash, and drops the path where it was pasted with it. */
export const baseAddress = (path: RegExp) =>
  endpoint().transform((text) => {
    const url = new URL(text);
    url.search = "";
    url.pathname = url.pathname.replace(path, "").replace(/\/*$/, "/");
    return url.toString();
  });

/** One line of text of a form, such as a name or an id. */
export const text = (form: RegExp, message: string) => z.string().trim().regex(form, message);

/** One or more certificates in PEM. */
const certificates = () =>
  z
    .string()
    .trim()
    .max(20_000)
    .regex(
      /^(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+$/,
      "Paste certificates in PEM, from -----BEGIN CERTIFICATE----- on.",
    );

/** A field `ca`. What it changes is part of `boundTo`: secrets go to whoever it vouches for. */
export const authority = () =>
  field(certificates().optional(), {
    label: "Certificate authority",
    kind: "multiline",
    placeholder: "-----BEGIN CERTIFICATE-----",
    hint: "Only where the receiver's certificate is from an authority of your own. No other is trusted then.",
  });

export const trusting = ({ ca }: { ca?: string | undefined }): Pick<Frame, "tls"> =>
  ca ? { tls: { ca } } : {};

/** A line of text that may be left empty. */
export const optionalText = (label: string, rest: { hint?: string; placeholder?: string } = {}) =>
  field(z.string().trim().max(255).optional(), { label, ...rest });

const headerName = z
  .string()
  .regex(
    /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/,
    "A header name has letters, digits and hyphens only.",
  )
  .refine(
    (name) =>
      !/^(webhook-|proxy-)/i.test(name) &&
      !/^(host|content-(length|type|encoding)|connection|transfer-encoding|te|trailer|upgrade|expect|keep-alive|date|user-agent)$/i.test(
        name,
      ),
    "This header is set by Trailseal or by the connection itself.",
  );

/** Names of custom headers; their values are credentials and live among the secrets as `header:<name>`. */
export const headerNames = () =>
  z
    .array(headerName)
    .max(20, "At most 20 custom headers.")
    .default([])
    .refine(
      (names) => new Set(names.map((name) => name.toLowerCase())).size === names.length,
      "A header is named twice.",
    );

export const headerValue = z
  .string()
  .regex(/^[\x20-\x7e]{1,4096}$/, "A header value has visible ASCII characters only.");

/** A credential without spaces: an API key or token. */
export const token = (what: string) =>
  z
    .string()
    .regex(/^[\x21-\x7e]{1,4096}$/, `${what} has no spaces and visible ASCII characters only.`);
