/** For cells of a table: on a phone its columns stand below each other and name themselves, by `data-label`. */
export const LABELLED =
  "max-sm:before:inline-block max-sm:before:w-28 max-sm:before:text-[12px] max-sm:before:text-(--text-3) max-sm:before:content-[attr(data-label)]";
