import { afterEach, expect, it, vi } from "vitest";
import { ReservationLifetime } from "./reservation-lifetime.ts";

afterEach(() => void vi.restoreAllMocks());

it("is 10 seconds until the setting says otherwise, and stays what it was when that is no number", () => {
  vi.spyOn(console, "log").mockReturnValue();
  const complaints = vi.spyOn(console, "error").mockReturnValue();
  const lifetime = new ReservationLifetime();
  expect(lifetime.ms).toBe(10_000);
  lifetime.take("3");
  expect(lifetime.ms).toBe(3000);
  for (const value of [undefined, "", "-1", "0", "1.5", "soon", "99999999"]) lifetime.take(value);
  expect(lifetime.ms).toBe(3000);
  expect(complaints).toHaveBeenCalledTimes(7);
  expect(complaints).toHaveBeenCalledWith("reservations live 3 s: reservation-seconds is soon");
});
