/** Patterns over a user agent, most telling first; $1 is a version, cut to its first number. */
const TOOLS: [RegExp, string][] = [
  [/terraform-provider-aws\/v?([\d.]+)?/i, "Terraform"],
  [/\baws-cli\/([\d.]+)/i, "aws-cli"],
  [/\bs3console\b/i, "S3 console"],
  [/^\[?boto3\/([\d.]+)/i, "Boto3"],
  [/\bkubectl\/v?([\d.]+)/i, "kubectl"],
  [/\baws-sdk-go-v2\/([\d.]+)/i, "AWS SDK for Go v2"],
  [/\baws-sdk-go\/([\d.]+)/i, "AWS SDK for Go"],
  [/\baws-sdk-java\/([\d.]+)/i, "AWS SDK for Java"],
  [/\baws-sdk-(?:js|nodejs)\/([\d.]+)/i, "AWS SDK for JavaScript"],
  [/\b(?:botocore|aws-sdk-python)\/([\d.]+)/i, "Botocore"],
  [/^python-requests\/([\d.]+)/i, "Python requests"],
  [/^curl\/([\d.]+)/i, "curl"],
];

const BROWSERS: [RegExp, string][] = [
  [/\bEdg(?:e|A|iOS)?\/(\d+)/, "Edge"],
  [/\b(?:OPR|Opera)\/(\d+)/, "Opera"],
  [/\b(?:Firefox|FxiOS)\/(\d+)/, "Firefox"],
  [/\b(?:Chrome|CriOS)\/(\d+)/, "Chrome"],
  [/\bVersion\/(\d+)[\d.]* (?:Mobile\/\S+ )?Safari\//, "Safari"],
];

const SYSTEMS: [RegExp, string][] = [
  [/\b(?:iPhone|iPad|iOS)\b/, "iOS"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bMac(?:intosh| OS X)\b/, "macOS"],
  [/\blinux\b/i, "Linux"],
];

function named(text: string, patterns: [RegExp, string][]): string | null {
  for (const [pattern, name] of patterns) {
    const found = pattern.exec(text);
    const version = found?.[1]?.split(".").slice(0, 2).join(".");
    if (found) return version ? `${name} ${version}` : name;
  }
  return null;
}

/** `Chrome 142 on Windows`, `aws-cli 2.13`: a user agent in short words, or as it is when it is none we know. */
export function deviceWords(agent: string): string {
  const tool = named(agent, TOOLS);
  if (tool) return tool;
  const browser = named(agent, BROWSERS);
  if (!browser) return agent;
  const system = named(agent, SYSTEMS);
  return system ? `${browser} on ${system}` : browser;
}
