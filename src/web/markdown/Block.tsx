import type { Token } from 'marked';
import { Component, h, type ComponentChild, type VNode } from 'preact';
import { Icon } from '../ui/Icon.tsx';
import { CodeBlock } from './CodeBlock.tsx';
import { blockTree, type MdNode } from './tree.ts';

/** One block of an answer. Drawn once per token: a frozen block keeps its token and is left alone. */
export class Block extends Component<{ token: Token }> {
  override shouldComponentUpdate(next: { token: Token }): boolean {
    return next.token !== this.props.token;
  }

  override render(): ComponentChild {
    return blockTree(this.props.token).map(draw);
  }
}

function draw(node: MdNode): ComponentChild {
  if (typeof node === 'string') return node;
  switch (node.tag) {
    case 'pre':
      return <CodeBlock language={node.language} text={node.text} />;
    case 'code':
      return <code>{node.text}</code>;
    case 'a':
      return drawLink(node.href, node.title, node.children);
    case 'image':
      return drawImage(node.href, node.alt);
    case 'checkbox':
      return <input type="checkbox" checked={node.checked} disabled aria-label={node.checked ? 'Done' : 'Open'} />;
    case 'ol':
      return <ol start={node.start}>{node.children.map(draw)}</ol>;
    case 'li':
      return <li class={node.task ? 'task' : undefined}>{node.children.map(draw)}</li>;
    case 'th':
    case 'td':
      return h(node.tag, { class: node.align === null ? undefined : `align-${node.align}` }, node.children.map(draw));
    case 'table':
      return (
        <div class="table-scroll" tabIndex={0} role="region" aria-label="Table">
          <table>{node.children.map(draw)}</table>
        </div>
      );
    default:
      return h(node.tag, null, node.children.map(draw));
  }
}

function drawLink(href: string, title: string, children: readonly MdNode[]): VNode {
  return (
    <a href={href} title={title || href} target="_blank" rel="noopener noreferrer nofollow">
      {children.map(draw)}
    </a>
  );
}

/**
 * A link, never an <img>: loading an address that a model wrote can carry away what the
 * conversation says. The page's Content-Security-Policy refuses it as well.
 */
function drawImage(href: string, alt: string): VNode {
  return (
    <a class="image-link" href={href} title={href} target="_blank" rel="noopener noreferrer nofollow">
      <Icon name="image" />
      {alt || 'Image'} <span class="image-host">{new URL(href).host}</span>
    </a>
  );
}
