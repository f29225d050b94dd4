import { countDistinct, type ShownGroup } from '../different-pictures.ts';
import { type Choices, keptOf } from '../duplicate-choices.ts';
import { formatCount } from '../number-format.ts';
import { formatRoute } from '../route.ts';
import { DifferentIcon } from './icons.tsx';
import { KindBadge } from './kind-badge.tsx';
import { Thumbnail } from './thumbnail.tsx';
import { Viewer } from './viewer.tsx';

interface Props {
  collection: string;
  groups: readonly ShownGroup[];
  /** Indices of the enlarged picture's group, and of it in there. */
  group: number;
  item: number;
  choices: Choices;
  onLook: (id: string) => void;
  onToggle: (group: ShownGroup, id: string) => void;
  onKeepOnly: (group: ShownGroup, id: string) => void;
  /** The picture is none of the others; `next` is what is looked at then. */
  onPart: (id: string, next: string | undefined) => void;
  onUndo: () => void;
  onClose: () => void;
}

/** A picture of a group beside the one proposed to be kept. The keys are those of the list. */
export function GroupViewer(props: Props) {
  const { collection, groups, group: row, item: column, choices, onLook, onToggle } = props;
  const group = groups[row];
  const item = group?.items[column];
  if (!group || !item) return null;
  const proposed = group.items.find((one) => one.id === group.keep);
  const isProposal = item.id === group.keep;
  const isKept = keptOf(group, choices).includes(item.id);
  const canPart = countDistinct(group) > 1;
  /** Past the end of a group comes the next one, at its first picture that is not the proposed one. */
  const lookAt = (to: string | undefined) => (to === undefined ? undefined : () => onLook(to));
  const firstOf = (index: number) => {
    const items = groups[index]?.items;
    return (items?.[1] ?? items?.[0])?.id;
  };
  const next = group.items[column + 1]?.id ?? firstOf(row + 1);
  // Of two, none is left as a group.
  const part = () => props.onPart(item.id, group.items.length > 2 ? next : firstOf(row + 1));
  const previous = group.items[column - 1]?.id ?? groups[row - 1]?.items.at(-1)?.id;

  const onKeyDown = (event: KeyboardEvent) => {
    const acts: Record<string, (() => void) | undefined> = {
      ' ': () => onToggle(group, item.id),
      enter: () => props.onKeepOnly(group, item.id),
      arrowdown: lookAt(firstOf(row + 1)),
      arrowup: lookAt(firstOf(row - 1)),
      d: part,
      z: props.onUndo,
      v: props.onClose,
    };
    const act = acts[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  };

  const thumbnail = (one: ShownGroup['items'][number]) => (
    <Thumbnail collection={collection} id={one.id} metadata={one.metadata} alt={one.id} />
  );
  const side = (one: ShownGroup['items'][number]) => {
    const kept = keptOf(group, choices).includes(one.id);
    return {
      role: <span class={kept ? 'badge good' : 'badge'}>{kept ? 'keep' : 'remove'}</span>,
      name: one.id,
      picture: thumbnail(one),
      metadata: one.metadata,
    };
  };
  return (
    <Viewer
      label={`${item.id}, enlarged`}
      beside={proposed && !isProposal ? side(proposed) : undefined}
      shown={side(item)}
      position={`${formatCount(column + 1)} of ${formatCount(group.items.length)} · group ${formatCount(row + 1)} of ${formatCount(groups.length)}`}
      onPrevious={lookAt(previous)}
      onNext={lookAt(next)}
      onKeyDown={onKeyDown}
      onClose={props.onClose}
      actions={
        <>
          <button type="button" class="button small" onClick={() => onToggle(group, item.id)}>
            {isKept ? 'Remove it' : 'Keep it'}
          </button>
          {canPart && (
            <button type="button" class="button small" onClick={part}>
              <DifferentIcon /> Different picture
            </button>
          )}
          {!isProposal && (
            <a
              class="button small"
              href={formatRoute({
                view: 'compare',
                collection,
                a: { item: group.keep },
                b: { item: item.id },
              })}
            >
              Compare
            </a>
          )}
        </>
      }
    >
      {isProposal ? (
        <span class="soft">Proposed to be kept: {group.reason}</span>
      ) : (
        <>
          <KindBadge item={item} />{' '}
          <span class="soft">
            {item.kind !== 'near' && 'copy of the one to keep'}
            {item.kind === 'near' &&
              (item.similarity === undefined
                ? 'not compared with the new one to keep'
                : 'to the one to keep')}
          </span>
        </>
      )}
    </Viewer>
  );
}
