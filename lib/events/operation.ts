/** What an action did, told by the words of its last segment. */
export type Operation = "created" | "updated" | "deleted" | "accessed";

const VERBS: Record<Operation, RegExp> = {
  deleted:
    /^(delete|deleted|deletion|remove|removed|revoke|revoked|destroy|destroyed|terminate|terminated|detach|detached|deregister|deregistered|disassociate|disassociated|disable|disabled|deactivated|void|voided|cancel|cancelled|leave|left|stop)$/,
  created:
    /^(create|created|add|added|invite|invited|upload|uploaded|register|registered|generate|generated|import|imported|run|start|started|attach|attached|allocate|launch|issued|published)$/,
  updated:
    /^(update|updated|change|changed|put|set|edit|edited|modify|modified|rename|renamed|rotate|rotated|enable|enabled|move|moved|authorize|associate|restore|restored|assign|assigned|replace|reset|tag)$/,
  accessed:
    /^(get|list|listed|describe|head|read|view|viewed|access|accessed|download|downloaded|export|exported|search|searched|lookup|query|queried|fetch|fetched|show|shown)$/,
};

const REFUSED =
  /^(denied|deny|refuse|refused|reject|rejected|fail|failed|block|blocked|forbid|forbidden)$/;

const ENDING = /[._-](?:succeeded|success|failed|failure|denied|refused|rejected|blocked)$/i;

const SIGN_IN_OR_OUT =
  /^(?:\w+_)?(?:sign(?:ed)?|log(?:ged)?)_?(?:(in|on)|out|off)(?:_(?:with|via|using|from)_\w+)?$/;

const lastSegment = (action: string) => action.slice(action.lastIndexOf(".") + 1);

/** `GetBucketAcl` begins with its verb; `role_updated` may have it anywhere. */
function words(action: string): string[] {
  const last = lastSegment(action);
  const camel = /^(?:Batch)?([A-Z][a-z]+)(?:.*(Deletion))?/.exec(last);
  if (camel) return camel.slice(1).flatMap((word) => word?.toLowerCase() ?? []);
  return last.toLowerCase().split(/[\s_\-:/]+/);
}

/** `read` in `secret.read.denied` and in `secret.read_denied`; null where no word is a verb that we know. */
export function operationOf(action: string): Operation | null {
  const found = words(action.replace(ENDING, ""));
  const order: Operation[] = ["deleted", "created", "updated", "accessed"];
  return order.find((operation) => found.some((word) => VERBS[operation].test(word))) ?? null;
}

export function isRefused(action: string): boolean {
  return words(action).some((word) => REFUSED.test(word));
}

/** `user.signed_in`, `signin.ConsoleLogin`, `login.failed`, `session.log_out`. */
export function signOf(action: string): "in" | "out" | null {
  const last = lastSegment(action.replace(ENDING, ""));
  const snake = last.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replace(/[\s\-:/]+/g, "_");
  const found = SIGN_IN_OR_OUT.exec(snake.toLowerCase());
  if (!found || operationOf(action)) return null;
  return found[1] ? "in" : "out";
}
