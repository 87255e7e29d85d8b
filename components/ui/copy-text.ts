import { showToast } from "./toasts";

/**
 * Puts text on the clipboard and says so, or that it is not possible: a browser allows it on https and
 * localhost only.
 * @param what as in "Copied the id"
 */
export async function copyText(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    showToast(`Copied ${what}`);
  } catch {
    showToast("Copying is not possible here");
  }
}
