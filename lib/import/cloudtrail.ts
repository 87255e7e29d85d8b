import { z } from "zod";

/**
 * AWS CloudTrail records as audit events. The mapping is stable: a record maps to the same event in every
 * release, since re-runs recognise records by `eventID`, and saved filters rely on the names.
 *
 * | event | from |
 * |---|---|
 * | action | `<service>.<eventName>`: eventSource without `.amazonaws.com`, so `iam.GetUser` |
 * | occurred_at | eventTime |
 * | actor | IAM user, root or federated user by ARN; an assumed role by its session issuer's ARN, with the session in metadata; a service by its host name; else access key, account, `unknown` |
 * | targets | `resources[]` by ARN, then well-known request parameters; an event that names none has `[]` |
 * | context | sourceIPAddress, userAgent |
 * | metadata | everything else, under its CloudTrail name |
 *
 * Source: AWS CloudTrail User Guide, "CloudTrail record contents" and "userIdentity element".
 */

const json = z.record(z.string(), z.unknown());

const sessionIssuerSchema = z
  .object({ type: z.string(), principalId: z.string(), arn: z.string(), userName: z.string() })
  .partial();

const identitySchema = z
  .object({
    type: z.string(),
    principalId: z.string(),
    arn: z.string(),
    accountId: z.string(),
    accessKeyId: z.string(),
    userName: z.string(),
    invokedBy: z.string(),
    identityProvider: z.string(),
    sessionContext: z.looseObject({ sessionIssuer: sessionIssuerSchema.optional() }),
  })
  .partial();

const recordSchema = z.looseObject({
  eventID: z.string().min(1),
  eventTime: z.string(),
  eventSource: z.string().min(1),
  eventName: z.string().min(1),
  userIdentity: identitySchema.nullish(),
  sourceIPAddress: z.string().nullish(),
  userAgent: z.string().nullish(),
  requestParameters: json.nullish(),
  resources: z
    .array(z.looseObject({ ARN: z.string().optional(), type: z.string().optional() }))
    .nullish(),
});

type CloudTrailRecord = z.infer<typeof recordSchema>;
type Identity = z.infer<typeof identitySchema>;

interface MappedUnit {
  type: string;
  id: string;
  name?: string;
  metadata?: Record<string, unknown>;
}

export interface MappedEvent {
  action: string;
  occurred_at: string;
  actor: MappedUnit;
  targets: MappedUnit[];
  context: { location: string; user_agent?: string };
  metadata: Record<string, unknown>;
}

/** Request parameters that name what an action was done to, and the type their target gets. */
const TARGET_PARAMETERS: Record<string, string> = {
  bucketName: "s3_bucket",
  userName: "iam_user",
  groupName: "iam_group",
  roleName: "iam_role",
  roleArn: "iam_role",
  policyArn: "iam_policy",
  instanceProfileName: "iam_instance_profile",
  accessKeyId: "iam_access_key",
  functionName: "lambda_function",
  secretId: "secret",
  keyId: "kms_key",
  instanceId: "ec2_instance",
  groupId: "security_group",
  vpcId: "vpc",
  subnetId: "subnet",
  routeTableId: "route_table",
  internetGatewayId: "internet_gateway",
  networkAclId: "network_acl",
  snapshotId: "snapshot",
  volumeId: "volume",
  imageId: "image",
  allocationId: "elastic_ip",
  tableName: "dynamodb_table",
  queueUrl: "sqs_queue",
  topicArn: "sns_topic",
  trailName: "trail",
  logGroupName: "log_group",
  clusterName: "cluster",
  dBInstanceIdentifier: "db_instance",
  dBSnapshotIdentifier: "db_snapshot",
  stackName: "stack",
  hostedZoneId: "hosted_zone",
  certificateArn: "certificate",
  repositoryName: "repository",
  secretName: "secret",
  parameterName: "parameter",
};

/** `{ items: [{ instanceId }] }` lists of the EC2 API. */
const TARGET_SETS: Record<string, { member: string; type: string }> = {
  instancesSet: { member: "instanceId", type: "ec2_instance" },
  securityGroupIdSet: { member: "groupId", type: "security_group" },
  volumeSet: { member: "volumeId", type: "volume" },
  imagesSet: { member: "imageId", type: "image" },
};

const MAPPED_KEYS = new Set(["eventTime", "sourceIPAddress", "userAgent"]);

/**
 * @returns the event and the record's `eventID`, by which a later run recognises it.
 * @throws Error saying which field makes the record unusable.
 */
export function mapCloudTrailRecord(input: unknown): { event: MappedEvent; sourceId: string } {
  const parsed = recordSchema.safeParse(input);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Error(
      `not a CloudTrail record: ${issue?.path.join(".") || "record"}: ${issue?.message}`,
    );
  }
  const record = parsed.data;
  const service = record.eventSource.replace(/\.amazonaws\.com$/, "");
  return {
    sourceId: record.eventID,
    event: {
      action: `${service}.${record.eventName}`,
      occurred_at: record.eventTime,
      actor: mapActor(record.userIdentity ?? {}),
      targets: mapTargets(record),
      context: {
        location: record.sourceIPAddress || "unknown",
        ...(record.userAgent ? { user_agent: record.userAgent } : {}),
      },
      metadata: mapMetadata(record),
    },
  };
}

/** The name at the end of an ARN: behind its last slash or, without one, its last colon. */
function lastSegment(arn: string): string {
  const separator = arn.includes("/") ? "/" : ":";
  return arn.slice(arn.lastIndexOf(separator) + 1);
}

function withMetadata(unit: MappedUnit, metadata: Record<string, string | undefined>): MappedUnit {
  const present = Object.entries(metadata).filter((entry): entry is [string, string] =>
    Boolean(entry[1]),
  );
  return present.length === 0 ? unit : { ...unit, metadata: Object.fromEntries(present) };
}

function mapActor(identity: Identity): MappedUnit {
  const issuer = identity.sessionContext?.sessionIssuer;
  const account = { account_id: identity.accountId, access_key_id: identity.accessKeyId };
  if (issuer?.arn) {
    const session = identity.arn ? lastSegment(identity.arn) : identity.principalId?.split(":")[1];
    const role = {
      type: "assumed_role",
      id: issuer.arn,
      name: issuer.userName ?? lastSegment(issuer.arn),
    };
    return withMetadata(role, {
      ...account,
      session,
      principal_id: identity.principalId,
      invoked_by: identity.invokedBy,
    });
  }
  const type = identity.type ? snakeCase(identity.type) : "aws_account";
  const id = identity.arn || identity.principalId;
  if (id) {
    const name = identity.userName ?? (identity.type === "Root" ? "root" : lastSegment(id));
    const unit = { type, id, ...(name ? { name } : {}) };
    return withMetadata(unit, {
      ...account,
      principal_id: identity.principalId,
      invoked_by: identity.invokedBy,
    });
  }
  if (identity.invokedBy) {
    const unit = {
      type: "aws_service",
      id: identity.invokedBy,
      name: identity.invokedBy.replace(/\.amazonaws\.com$/, ""),
    };
    return withMetadata(unit, account);
  }
  const fallback = identity.accessKeyId || identity.accountId || identity.identityProvider;
  return fallback ? { type, id: fallback } : { type: "unknown", id: "unknown" };
}

function mapTargets(record: CloudTrailRecord): MappedUnit[] {
  const targets = new Map<string, MappedUnit>();
  const add = (type: string, id: unknown) => {
    if (typeof id !== "string" || id === "" || targets.has(id)) return;
    // A parameter's plain name of a resource that is there by its ARN.
    if ([...targets.values()].some((target) => target.name === id)) return;
    const name = id.startsWith("arn:") ? lastSegment(id) : undefined;
    targets.set(id, { type, id, ...(name ? { name } : {}) });
  };
  for (const resource of record.resources ?? []) {
    add(
      resource.type
        ? snakeCase(resource.type.replace(/^AWS::/, "").replaceAll("::", "_"))
        : "aws_resource",
      resource.ARN,
    );
  }
  const parameters = record.requestParameters ?? {};
  for (const [name, type] of Object.entries(TARGET_PARAMETERS)) add(type, parameters[name]);
  for (const [name, { member, type }] of Object.entries(TARGET_SETS)) {
    for (const item of itemsOf(parameters[name])) add(type, item[member]);
  }
  return [...targets.values()];
}

function itemsOf(value: unknown): Record<string, unknown>[] {
  const parsed = z.object({ items: z.array(json) }).safeParse(value);
  return parsed.success ? parsed.data.items : [];
}

function mapMetadata(record: CloudTrailRecord): Record<string, unknown> {
  const rest = Object.entries(record).filter(
    ([key, value]) => !MAPPED_KEYS.has(key) && value !== null && value !== undefined,
  );
  return Object.fromEntries(rest.map(([key, value]) => [key, withoutUnsafeNumbers(value)]));
}

/** Numbers beyond 2^53−1 have lost digits by now and are refused as numbers: kept as text. */
function withoutUnsafeNumbers(value: unknown): unknown {
  if (typeof value === "number")
    return Math.abs(value) > Number.MAX_SAFE_INTEGER ? String(value) : value;
  if (Array.isArray(value)) return value.map(withoutUnsafeNumbers);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, withoutUnsafeNumbers(member)]),
  );
}

/** `IAMUser` → `iam_user`, `AssumedRole` → `assumed_role`. */
function snakeCase(text: string): string {
  return text
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
    .toLowerCase();
}
