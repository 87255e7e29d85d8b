"use client";

import { Sun } from "lucide-react";
import { Button } from "@/components/ui/button";
import { Menu } from "@/components/ui/menu";
import { ThemeChoice } from "./theme-switch";

/** Theme choice where there is no account menu to hold it. */
export function ThemeMenu() {
  return (
    <Menu
      label="Theme"
      trigger={
        <Button variant="quiet">
          <Sun aria-hidden="true" className="size-3.5" />
          Theme
        </Button>
      }
    >
      <ThemeChoice />
    </Menu>
  );
}
