import { Command } from 'clipanion';
import type {
  ModelsResult,
  ProviderSetting,
  ProviderStatus,
  SimulatorProfile,
} from '../../handlers/models.js';
import { HxCommand } from '../base.js';
import type { Paint } from '../render/style.js';

/** Models that are shown of a long list; --json has them all. */
const MODELS_SHOWN = 20;

export class ModelsCommand extends HxCommand {
  static override paths = [['models']];
  static override usage = Command.Usage({
    details:
      'Lists the providers with the settings that each needs, the models of an OpenAI-compatible server when one ' +
      'is set and answers, and the profiles of the simulator. Only that server is called.',
    examples: [
      ['What can be asked from here', 'hx models'],
      ['The models of a local server', 'HX_COMPATIBLE_BASE_URL=http://127.0.0.1:11434/v1 hx models'],
      ['For a program', 'hx models --json'],
    ],
  });

  async execute(): Promise<void> {
    const result = await this.invoke('models', {});
    if (this.json) {
      this.printJson(result);
      return;
    }
    const { escapeControls } = await import('../render/escape.js');
    const blocks = result.providers.map((provider) => renderProvider(provider, this.paint, escapeControls));
    const profiles = result.simulator_profiles.map((profile) => renderProfile(profile, this.paint));
    this.print(`${blocks.join('\n')}${profiles.join('')}\n${renderNaming(result)}`);
  }
}

type Clean = (text: string) => string;

function renderProvider(provider: ProviderStatus, paint: Paint, clean: Clean): string {
  const state = provider.is_ready ? paint('green', 'ready') : paint('yellow', 'not set up');
  const lines = [`${paint('bold', provider.provider)}  ${state}  ${provider.meaning}`];
  for (const setting of provider.settings) lines.push(`  ${renderSetting(setting, clean)}`);
  if (provider.problem !== null)
    lines.push(`  ${paint('yellow', 'no list of models:')} ${clean(provider.problem)}`);
  const models = provider.models ?? [];
  for (const id of models.slice(0, MODELS_SHOWN)) lines.push(`  ${provider.provider}/${clean(id)}`);
  if (models.length > MODELS_SHOWN) {
    lines.push(`  and ${models.length - MODELS_SHOWN} more: hx models --json`);
  }
  if (provider.models?.length === 0) lines.push('  the server lists no models');
  return `${lines.join('\n')}\n`;
}

function renderSetting({ name, value, source, is_required }: ProviderSetting, clean: Clean): string {
  if (value === null) return `${name}: not set${is_required ? '' : ' (optional)'}`;
  return `${name}: ${clean(value)} (${source})`;
}

function renderProfile(profile: SimulatorProfile, paint: Paint): string {
  const shares = [
    ['refused', profile.refusal_rate],
    ['malformed', profile.malformed_rate],
    ['wrapped', profile.wrapped_rate],
    ['failed', profile.failure_rate],
  ] as const;
  const parameters = [
    `tau ${profile.tau_logit}`,
    `sigma ${profile.sigma_logit}`,
    ...shares.flatMap(([name, share]) => (share === 0 ? [] : [`${name} ${Math.round(share * 100)} %`])),
    ...(profile.latency_ms === 0 ? [] : [`${profile.latency_ms} ms a call`]),
  ];
  return `  ${profile.model.padEnd(22)}${profile.meaning}\n  ${' '.repeat(22)}${paint('dim', parameters.join(', '))}\n`;
}

function renderNaming({ default_model, providers }: ModelsResult): string {
  const names = providers.map(({ example }) => example).join(', ');
  const used =
    default_model === null ? 'HX_MODEL is not set, so name one with --model' : `HX_MODEL is ${default_model}`;
  return `Names: ${names}; or a bare name that begins with gpt-, claude-, gemini- or grok-. ${used}.`;
}
