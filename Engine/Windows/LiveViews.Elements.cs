using Sketch.Engine.Elements;
using Sketch.Engine.Fold;

namespace Sketch.Engine.Windows;

/// <content>Elements, deletions and resets.</content>
internal sealed partial class LiveViews
{
    /// <inheritdoc/>
    public void CountedElements(NamespaceState owner, in ElementPayload payload, in WindowSpan window)
    {
        ElementStates elements = _catalogue.Elements;
        if (payload.KeyId != elements.Hasher.KeyId)
        {
            throw new InvalidDataException(
                $"The log's elements at {window.To} were hashed with key {payload.KeyId:x16}; this data folder's secret makes {elements.Hasher.KeyId:x16}: one of them was put in place of another.");
        }

        Volatile.Write(ref _increments, _increments + payload.DistinctCount);
        if (window.To <= _storedPosition)
        {
            return;
        }

        _open.BeginChange();
        ReadOnlySpan<ulong> ids = payload.DistinctIds;
        for (int i = 0; i < ids.Length; i++)
        {
            elements.Add(_fold.Counters[ids[i]], ids[i], payload.Hashes[i], window.To);
        }

        _open.EndChange(window);
    }

    /// <inheritdoc/>
    public void Removed(NamespaceState owner, ulong id, string name, bool deleted)
    {
        _open.BeginChange();
        _open.Restart(id);
        _catalogue.Elements.Forget(id, _fold.Position + 1);
        if (deleted)
        {
            _catalogue.Remove(id, _catalogue.Namespaces[owner.Index]);
        }

        _catalogue.DefinitionsAt = _fold.Position + 1;
        _open.EndChange(_fold.Window);
    }

    private void CloseElements(in WindowSpan window) => _open.CloseDistincts(_catalogue.Elements.Capture(window.To));
}
