"use client";

import { type ChangeEvent, type FormEvent, useState } from "react";
import { FormError } from "@/components/account/form-error";
import { useSubmit } from "@/components/account/use-submit";
import { Button } from "@/components/ui/button";
import { Field, Input, TextArea } from "@/components/ui/field";
import type { ActionResult } from "@/lib/http/action-result";

interface Draft {
  name: string | null;
  colour: string | null;
  returnAddresses: string[];
  /** As base64; null takes it away, and left out it stays. */
  logo?: string | null;
}

interface Props {
  name: string | null;
  colour: string | null;
  /** Where the picture is. */
  logo: string | null;
  returnAddresses: readonly string[];
  save(draft: Draft): Promise<ActionResult<null>>;
}

/** A server action's body has a limit, and so has a logo. */
const MAX_LOGO_BYTES = 200_000;

function readAsDataUrl(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

const base64Of = (dataUrl: string) => dataUrl.slice(dataUrl.indexOf(",") + 1);

/** Name, colour and logo of the portal, and where its links may lead back to. */
export function BrandingForm(props: Props) {
  const [name, setName] = useState(props.name ?? "");
  const [colour, setColour] = useState(props.colour ?? "");
  const [addresses, setAddresses] = useState(props.returnAddresses.join("\n"));
  /** Undefined: as it is; null: none. */
  const [picture, setPicture] = useState<string | null | undefined>(undefined);
  const [refused, setRefused] = useState<string | null>(null);
  const [isSaved, setSaved] = useState(false);
  const { errors, isPending, submit } = useSubmit();
  const shown = picture === undefined ? props.logo : picture;
  const listed = addresses.split(/\s+/).filter((address) => address !== "");
  // `returnAddresses.2` is its third line.
  const [, wrong] =
    Object.entries(errors).find(([field]) => field.startsWith("returnAddresses")) ?? [];
  const wrongAt = Object.keys(errors).find((field) => field.startsWith("returnAddresses."));
  const wrongAddress = wrongAt && listed[Number(wrongAt.split(".")[1])];

  const choose = async ({ target }: ChangeEvent<HTMLInputElement>) => {
    const file = target.files?.[0];
    if (!file) return;
    setSaved(false);
    // The same file again is a choice, too.
    target.value = "";
    if (file.size > MAX_LOGO_BYTES)
      return setRefused(`has more than ${MAX_LOGO_BYTES / 1_000} kB: make it smaller`);
    const read = await readAsDataUrl(file).catch(() => null);
    setRefused(read ? null : "cannot be read: choose it again");
    if (read) setPicture(read);
  };

  const save = (event: FormEvent) => {
    event.preventDefault();
    setSaved(false);
    if (refused) return;
    submit(
      () =>
        props.save({
          name: name || null,
          colour: colour || null,
          returnAddresses: listed,
          ...(picture === undefined ? {} : { logo: picture && base64Of(picture) }),
        }),
      () => {
        setSaved(true);
        setPicture(undefined);
      },
    );
  };

  return (
    <form onSubmit={save} onChange={() => setSaved(false)} className="grid max-w-[560px] gap-5">
      <FormError message={errors.form} />
      <Field label="Name" hint="In place of Trailseal’s." error={errors.name}>
        {(control) => (
          <Input
            {...control}
            maxLength={60}
            placeholder="Example Cloud"
            value={name}
            onChange={({ target }) => setName(target.value)}
          />
        )}
      </Field>
      <Field
        label="Colour"
        hint="Of buttons and of the line on top. Where a theme would hide it, it is made lighter or darker."
        error={errors.colour}
      >
        {(control) => (
          <div className="flex items-center gap-2">
            <input
              type="color"
              aria-label="Pick the colour"
              value={/^#[0-9a-fA-F]{6}$/.test(colour) ? colour : "#1b1f1e"}
              onChange={({ target }) => setColour(target.value)}
              className="h-8 w-11 shrink-0 cursor-pointer rounded-[5px] border border-(--border-control) bg-(--surface) p-0.5 max-sm:h-11"
            />
            <Input
              {...control}
              placeholder="#0a6b64"
              maxLength={7}
              value={colour}
              onChange={({ target }) => setColour(target.value)}
              className="font-mono"
            />
          </div>
        )}
      </Field>
      <Field
        label="Logo"
        hint="PNG, JPEG or WebP of at most 200 kB; shown 24 pixels high, on light and on dark."
        error={refused ?? errors.logo}
      >
        {(control) => (
          <div className="flex flex-wrap items-center gap-3">
            {shown && (
              <>
                {["bg-white", "bg-[#121616]"].map((ground) => (
                  <span
                    key={ground}
                    className={`inline-flex h-11 items-center rounded-[5px] border border-(--border-strong) px-3 ${ground}`}
                  >
                    {/* biome-ignore lint/performance/noImgElement: it is shown as it will be. */}
                    <img src={shown} alt="" className="max-h-6 max-w-32" />
                  </span>
                ))}
                <Button
                  onClick={() => {
                    setPicture(null);
                    setRefused(null);
                    setSaved(false);
                  }}
                >
                  Take it away
                </Button>
              </>
            )}
            <input
              {...control}
              type="file"
              accept="image/png,image/jpeg,image/webp"
              onChange={choose}
              className="min-w-0 max-w-full file:mr-3 file:h-7 file:cursor-pointer file:rounded-[5px] file:border file:border-(--border-strong) file:bg-(--surface) file:px-2.5 file:font-medium file:text-(--text) max-sm:file:h-11"
            />
          </div>
        )}
      </Field>
      <Field
        label="Return addresses"
        hint={
          listed.length === 0
            ? "None is listed: return_url and success_url may be any address. List those of your applications, one a line."
            : "Only these, and what lies below them: return_url and success_url elsewhere are refused."
        }
        error={wrong && (wrongAddress ? `${wrongAddress} ${wrong}` : wrong)}
      >
        {(control) => (
          <TextArea
            {...control}
            rows={Math.max(3, listed.length + 1)}
            spellCheck={false}
            placeholder={"https://app.example.com\nhttps://*.example.com/settings"}
            value={addresses}
            onChange={({ target }) => setAddresses(target.value)}
          />
        )}
      </Field>
      <div className="flex items-center gap-3 max-sm:flex-col max-sm:items-stretch">
        <Button type="submit" variant="primary" disabled={isPending} className="sm:h-8">
          Save
        </Button>
        <p role="status" className="text-[12px] text-(--text-3) empty:hidden">
          {isSaved ? "Saved." : ""}
        </p>
      </div>
    </form>
  );
}
