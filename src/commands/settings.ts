import { type Config, readConfig, settingWarnings } from '../config/config.ts';

/**
 * The settings, for a command. A variable that may be a misspelt setting is warned of on standard error.
 * @throws ConfigError with every setting that is wrong.
 */
export function readSettings(): Config {
  warnOfUnknownSettings();
  return readConfig();
}

export function warnOfUnknownSettings(): void {
  for (const warning of settingWarnings()) console.error(warning);
}
