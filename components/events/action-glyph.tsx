/** What an action did, told by its verb: a shape first, then a colour. */
type Operation = "created" | "updated" | "deleted" | "accessed" | "denied";

const VERBS: Record<Operation, RegExp> = {
  denied:
    /^(denied|deny|refuse|refused|reject|rejected|fail|failed|block|blocked|forbid|forbidden)$/,
  deleted:
    /^(delete|deleted|remove|removed|revoke|revoked|destroy|destroyed|terminate|terminated|detach|detached|disable|disabled|deactivated|void|voided|cancel|cancelled|leave|left|stop|schedule)$/,
  created:
    /^(create|created|add|added|invite|invited|upload|uploaded|register|registered|generate|generated|import|imported|run|start|started|attach|attached|allocate|launch|issued|published|import)$/,
  updated:
    /^(update|updated|change|changed|put|set|edit|edited|modify|modified|rename|renamed|rotate|rotated|enable|enabled|move|moved|authorize|associate|restore|restored|assign|assigned|replace|reset|tag)$/,
  accessed: /./,
};

/** `GetBucketAcl` begins with its verb; `role_updated` may have it anywhere. */
function words(action: string): string[] {
  const last = action.slice(action.lastIndexOf(".") + 1);
  const [camelVerb] = /^[A-Z][a-z]+/.exec(last) ?? [];
  return camelVerb ? [camelVerb.toLowerCase()] : last.toLowerCase().split(/[\s_\-:/]+/);
}

export function operationOf(action: string): Operation {
  const found = words(action);
  const kinds: Operation[] = ["denied", "deleted", "created", "updated"];
  return kinds.find((kind) => found.some((word) => VERBS[kind].test(word))) ?? "accessed";
}

const LOOK: Record<Operation, { color: string; path: string }> = {
  created: { color: "text-(--op-created)", path: "M8 4v8M4 8h8" },
  updated: { color: "text-(--op-updated)", path: "M3 9.500c1.700-3 3.300-3 5-1s3.300 2 5-1" },
  deleted: { color: "text-(--op-deleted)", path: "M4.500 4.500l7 7m0-7l-7 7" },
  accessed: {
    color: "text-(--op-accessed)",
    path: "M8 5.500a2.500 2.500 0 100 5 2.500 2.500 0 000-5z",
  },
  denied: {
    color: "text-(--op-denied)",
    path: "M8 3.500a4.500 4.500 0 100 9 4.500 4.500 0 000-9zM5 11l6-6",
  },
};

export function ActionGlyph(props: { action: string }) {
  const operation = operationOf(props.action);
  const { color, path } = LOOK[operation];
  return (
    <svg
      viewBox="0 0 16 16"
      role="img"
      aria-label={operation}
      className={`size-4 shrink-0 ${color}`}
    >
      <path
        d={path}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.700"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
