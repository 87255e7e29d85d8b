/** What separates the cells of a CSV file. */
export const delimiters = { comma: ",", semicolon: ";", tab: "\t" } as const;
export type DelimiterName = keyof typeof delimiters;
export const delimiterNames = ["comma", "semicolon", "tab"] as const satisfies DelimiterName[];
