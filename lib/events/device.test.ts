import { expect, test } from "vitest";
import { deviceWords } from "./device";

test.each([
  [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Chrome 142 on Windows",
  ],
  [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
    "Edge 142 on Windows",
  ],
  [
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:102.0) Gecko/20100101 Firefox/102.0",
    "Firefox 102 on Linux",
  ],
  [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15",
    "Safari 19 on macOS",
  ],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "Safari 17 on iOS",
  ],
  [
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Mobile Safari/537.36",
    "Chrome 141 on Android",
  ],
  [
    "aws-cli/2.13.5 Python/3.11.4 Linux/5.19 exe/x86_64.ubuntu.22 prompt/off command/s3.ls",
    "aws-cli 2.13",
  ],
  ["[Boto3/1.26.165 Python/3.10.6 Linux/5.19.0-46-generic Botocore/1.29.165]", "Boto3 1.26"],
  [
    "APN/1.0 HashiCorp/1.0 Terraform/1.1.2 terraform-provider-aws/3.76.1 aws-sdk-go/1.44.157 (go1.19.3; linux; amd64)",
    "Terraform 3.76",
  ],
  ["APN/1.0 terraform-provider-aws/dev (+https://x) aws-sdk-go/1.44.20", "Terraform"],
  ["[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.488 Linux/5.10]", "S3 console"],
  ["aws-sdk-go/1.41.4 (go1.18.3; linux; amd64) amazon-ssm-agent/", "AWS SDK for Go 1.41"],
  ["curl/8", "curl 8"],
  ["AWS Internal", "AWS Internal"],
  ["acme-cli/4.2.1 (linux; amd64)", "acme-cli/4.2.1 (linux; amd64)"],
  ["Mozilla/5.0 (compatible; Chromebot)", "Mozilla/5.0 (compatible; Chromebot)"],
  ["", ""],
])("%s is %s", (agent, words) => {
  expect(deviceWords(agent)).toBe(words);
});
