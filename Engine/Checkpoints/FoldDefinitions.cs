using System.Collections;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Fold;

namespace Sketch.Engine.Checkpoints;

/// <summary>
/// A fold's definitions at one moment, as records that are made one after the other when they are written: there may be a million, and a snapshot is taken every few seconds.
/// </summary>
internal sealed class FoldDefinitions(LogFold fold) : IReadOnlyList<DefinitionRecord>
{
    private readonly NamespaceDefinition[] _namespaces = [.. fold.Namespaces.Select(n => n.Definition)];

    private readonly (NamespaceState Owner, CounterDefinition Definition, long Generation)[] _counters =
        [.. fold.Counters.Values.Select(c => (c.Owner, c.Definition, c.Generation))];

    /// <inheritdoc/>
    public int Count => _namespaces.Length + _counters.Length;

    /// <inheritdoc/>
    public DefinitionRecord this[int index]
    {
        get
        {
            if (index < _namespaces.Length)
            {
                return new DefinitionRecord(_namespaces[index], null);
            }

            (NamespaceState owner, CounterDefinition definition, long generation) = _counters[index - _namespaces.Length];
            return new DefinitionRecord(null, new CounterRecord(owner.Definition.Name, definition, generation));
        }
    }

    /// <inheritdoc/>
    public IEnumerator<DefinitionRecord> GetEnumerator()
    {
        for (int i = 0; i < Count; i++)
        {
            yield return this[i];
        }
    }

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
