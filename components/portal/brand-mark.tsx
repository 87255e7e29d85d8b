import { Logo } from "@/components/shell/logo";
import { type Branding, brandName } from "@/lib/portal/branding";

/** The picture of whoever runs this server, or its name; with neither the seal. */
export function BrandMark({ branding, isLarge }: { branding: Branding; isLarge?: boolean }) {
  const { logo, name } = branding;
  if (logo)
    return (
      // Its proportions are whatever was uploaded.
      // biome-ignore lint/performance/noImgElement: the picture is small, and served as it is.
      <img
        src={logo}
        alt={brandName(branding)}
        className={isLarge ? "max-h-12 max-w-60" : "max-h-6 max-w-32"}
      />
    );
  if (name)
    return (
      <span className={isLarge ? "text-[16px] leading-6 font-medium" : "text-(--text-2)"}>
        {name}
      </span>
    );
  return <Logo className={isLarge ? "h-8 w-9" : "h-4 w-5"} />;
}
