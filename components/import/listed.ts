import type { ActionResult } from "@/lib/http/action-result";
import type { Mapping } from "@/lib/import/mapping";
import type { Preview } from "@/lib/import/run-import";
import type { Import, ImportSetup, Recognition } from "@/lib/import/schema";

export interface ImportList {
  /** Newest first. */
  imports: Import[];
  hasOlder: boolean;
}

export type SavedMappings = { name: string; mapping: Mapping }[];

type Change<T> = (organizationId: string, id: string) => Promise<ActionResult<T>>;

export interface ImportActions {
  /** @param before the import that the page begins behind; null: at the newest */
  read(organizationId: string, before: string | null): Promise<ActionResult<ImportList>>;
  cancel: Change<Import>;
  remove: Change<null>;
}

type WithSetup<T> = (
  organizationId: string,
  id: string,
  setup: ImportSetup,
) => Promise<ActionResult<T>>;

export interface SetUpActions {
  recognise(organizationId: string, id: string, told: Recognition): Promise<ActionResult<Import>>;
  preview: WithSetup<Preview>;
  start: WithSetup<Import>;
  remove: Change<null>;
  saveMapping(
    organizationId: string,
    name: string,
    mapping: Mapping,
  ): Promise<ActionResult<SavedMappings>>;
  deleteMapping(organizationId: string, name: string): Promise<ActionResult<SavedMappings>>;
}

export const isUnderWay = ({ state }: Pick<Import, "state">): boolean =>
  state === "queued" || state === "running";
