import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { mapCloudTrailRecord } from "./cloudtrail";

const base = {
  eventID: "e-1",
  eventTime: "2023-07-10T12:00:00Z",
  eventSource: "iam.amazonaws.com",
  eventName: "GetUser",
  sourceIPAddress: "198.51.100.7",
  userAgent: "aws-cli/2",
};

const actorOf = (userIdentity: object) =>
  mapCloudTrailRecord({ ...base, userIdentity }).event.actor;

describe("mapCloudTrailRecord", () => {
  test("action is service and event name; the record's id is its identity", () => {
    const { event, sourceId } = mapCloudTrailRecord(base);
    expect(event.action).toBe("iam.GetUser");
    expect(event.context).toEqual({ location: "198.51.100.7", user_agent: "aws-cli/2" });
    expect(sourceId).toBe("e-1");
  });

  test("an IAM user is known by its ARN", () => {
    expect(
      actorOf({
        type: "IAMUser",
        arn: "arn:aws:iam::1:user/ada",
        userName: "ada",
        principalId: "AIDA",
      }),
    ).toMatchObject({
      type: "iam_user",
      id: "arn:aws:iam::1:user/ada",
      name: "ada",
    });
  });

  test("an assumed role is known by its session issuer, so that sessions of one role meet in one timeline", () => {
    const identity = (session: string) => ({
      type: "AssumedRole",
      principalId: `AROA:${session}`,
      arn: `arn:aws:sts::1:assumed-role/deploy/${session}`,
      sessionContext: {
        sessionIssuer: { type: "Role", arn: "arn:aws:iam::1:role/deploy", userName: "deploy" },
      },
    });
    const first = actorOf(identity("a"));
    expect(first).toMatchObject({
      type: "assumed_role",
      id: "arn:aws:iam::1:role/deploy",
      name: "deploy",
    });
    expect(first.metadata).toMatchObject({ session: "a" });
    expect(actorOf(identity("b")).id).toBe(first.id);
  });

  test("records with neither ARN nor principal have an actor", () => {
    expect(actorOf({ type: "AWSService", invokedBy: "rds.amazonaws.com" })).toEqual({
      type: "aws_service",
      id: "rds.amazonaws.com",
      name: "rds",
    });
    expect(actorOf({ accountId: "1", invokedBy: "secretsmanager.amazonaws.com" })).toMatchObject({
      type: "aws_service",
    });
    expect(actorOf({ accountId: "1" })).toEqual({ type: "aws_account", id: "1" });
    expect(actorOf({})).toEqual({ type: "unknown", id: "unknown" });
    expect(mapCloudTrailRecord({ ...base, userIdentity: null }).event.actor.id).toBe("unknown");
  });

  test("targets come from resources and request parameters, each once, by ARN where there is one", () => {
    const { targets } = mapCloudTrailRecord({
      ...base,
      resources: [{ type: "AWS::S3::Bucket", ARN: "arn:aws:s3:::logs" }],
      requestParameters: {
        bucketName: "logs",
        instancesSet: {
          items: [{ instanceId: "i-1" }, { instanceId: "i-2" }, { instanceId: "i-1" }],
        },
      },
    }).event;
    expect(targets.map((target) => `${target.type} ${target.id}`)).toEqual([
      "s3_bucket arn:aws:s3:::logs",
      "ec2_instance i-1",
      "ec2_instance i-2",
    ]);
  });

  test("everything that has no place of its own is kept in metadata", () => {
    const { metadata } = mapCloudTrailRecord({
      ...base,
      awsRegion: "us-east-1",
      errorCode: "AccessDenied",
      big: 2 ** 60,
    }).event;
    expect(metadata).toMatchObject({
      awsRegion: "us-east-1",
      errorCode: "AccessDenied",
      eventName: "GetUser",
    });
    expect(metadata.big).toBe("1152921504606847000");
  });

  test("a record that lacks what identifies it is refused with the field's name", () => {
    expect(() => mapCloudTrailRecord({ ...base, eventID: undefined })).toThrow("eventID");
    expect(() => mapCloudTrailRecord("text")).toThrow("not a CloudTrail record");
  });

  const folder = path.join(process.env.TRAILSEAL_TEST_DATA ?? "../shared/data", "cloudtrail");

  test.skipIf(!existsSync(folder))(
    `maps every record of a real trail (skipped without ${folder})`,
    () => {
      const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
      const records = files.flatMap(
        (name) =>
          (JSON.parse(readFileSync(path.join(folder, name), "utf8")) as { Records: unknown[] })
            .Records,
      );
      const mapped = records.map(mapCloudTrailRecord);
      expect(mapped).toHaveLength(2_900);
      expect(mapped.filter(({ event }) => event.action === "iam.GetUser")).toHaveLength(130);
      expect(
        mapped.every(({ event }) => event.actor.id !== "" && event.actor.id !== "unknown"),
      ).toBe(true);
    },
  );
});
