import { type PolicyValidationPluginReport, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';

/**
 * cdk-nag's AWS Solutions rules. A finding about a resource names it by its reference, which for one of another stack is known
 * only once everything is synthesised; so an acknowledgement may leave the beginning of the name out with "…":
 * `AwsSolutions-IAM5[Resource::…/collections/*]`.
 */
export class Checks extends AwsSolutionsChecks {
  override validateScope(scope: IConstruct): PolicyValidationPluginReport {
    const { violations } = super.validateScope(scope);
    const left = violations.flatMap((violation) => {
      const violatingResources = violation.violatingResources.filter(
        ({ constructPath }) => !isAcknowledged(find(scope, constructPath ?? ''), violation.ruleName),
      );
      return violatingResources.length === 0 ? [] : [{ ...violation, violatingResources }];
    });
    return { success: left.length === 0, violations: left };
  }
}

function find(scope: IConstruct, path: string): IConstruct {
  return path.split('/').reduce((at, id) => at.node.tryFindChild(id) ?? at, scope);
}

function isAcknowledged(construct: IConstruct, finding: string): boolean {
  const ids = [construct, ...construct.node.scopes].flatMap(({ node }) =>
    node.metadata
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .flatMap(({ data }) => Object.keys(data as Record<string, string>)),
  );
  return ids.some((id) => {
    const [start, end] = id.replace(/^annotation::/i, '').split('…');
    return end !== undefined && finding.startsWith(start ?? '') && finding.endsWith(end);
  });
}
