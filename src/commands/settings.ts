import { type Config, readConfig, settingWarnings } from '../config/config.ts';

/**
 * Reads the settings for a command, and warns of variables that look like misspelt settings on standard error.
 * @throws ConfigError with every wrong setting.
 */
export function readSettings(): Config {
  warnOfUnknownSettings();
  return readConfig();
}

export function warnOfUnknownSettings(): void {
  for (const warning of settingWarnings()) console.error(warning);
}
