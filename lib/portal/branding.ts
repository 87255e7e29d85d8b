import { z } from "zod";
import { returnAddressSchema } from "./return-addresses";

/** The portal in the name of whoever runs this server, instead of Trailseal's. */

const MAX_LOGO_BYTES = 200_000;
const MAX_ADDRESSES = 50;

/** What a picture begins with. SVG is none of them: it is a document that can run scripts. */
const PNG = "\x89PNG\r\n\x1a\n";
const PICTURES: { type: string; isIt(bytes: Buffer): boolean }[] = [
  { type: "image/png", isIt: (bytes) => bytes.subarray(0, 8).toString("latin1") === PNG },
  { type: "image/jpeg", isIt: (bytes) => bytes.subarray(0, 3).toString("hex") === "ffd8ff" },
  {
    type: "image/webp",
    isIt: (bytes) =>
      bytes.subarray(0, 4).toString("latin1") === "RIFF" &&
      bytes.subarray(8, 12).toString("latin1") === "WEBP",
  },
];

export interface Picture {
  /** Such as image/png. */
  type: string;
  base64: string;
}

const pictureSchema = z.base64("is no picture").transform((base64, context): Picture => {
  const bytes = Buffer.from(base64, "base64");
  const picture = PICTURES.find(({ isIt }) => isIt(bytes));
  if (!picture) context.addIssue("must be a PNG, JPEG or WebP picture");
  else if (bytes.length > MAX_LOGO_BYTES)
    context.addIssue(`must have at most ${MAX_LOGO_BYTES / 1_000} kB`);
  return { type: picture?.type ?? "", base64 };
});

const brandingFields = {
  /** Stands where Trailseal's does. */
  name: z
    .string()
    .trim()
    .max(60, "is too long")
    .transform((text) => text || null)
    .nullable(),
  /** #rrggbb of buttons and of the line on top. */
  colour: z
    .string()
    .regex(/^#[0-9a-fA-F]{6}$/, "must be a colour such as #0a6b64")
    .transform((text) => text.toLowerCase())
    .nullable(),
  returnAddresses: z.array(returnAddressSchema).max(MAX_ADDRESSES, "are at most 50"),
};

/** As it is stored. */
export const storedBrandingSchema = z.object({
  ...brandingFields,
  /** Names the picture, for addresses that may be kept; null: there is none. */
  logoHash: z.string().nullable(),
});

/** As a form gives it; a logo that is left out stays as it is. */
export const brandingInputSchema = z.object({
  ...brandingFields,
  logo: pictureSchema.nullable().optional(),
});

export type BrandingInput = z.infer<typeof brandingInputSchema>;

export interface Branding {
  name: string | null;
  colour: string | null;
  /** Path of the picture; null: there is none. */
  logo: string | null;
}

/** How the portal and its mails call themselves. */
export const brandName = ({ name }: Pick<Branding, "name">): string => name ?? "Trailseal";
