namespace Sketch.Engine.Log;

/// <summary>Walks encoded records that were verified before.</summary>
public ref struct RecordEnumerator
{
    private ReadOnlySpan<byte> _rest;
    private LoggedRecord _current;

    internal RecordEnumerator(ReadOnlySpan<byte> bytes) => _rest = bytes;

    /// <summary>The record under the cursor.</summary>
    public readonly LoggedRecord Current => _current;

    /// <summary>Steps to the next record; false at the end.</summary>
    public bool MoveNext()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }

        _current = RecordFrame.Decode(_rest, out int size);
        _rest = _rest[size..];
        return true;
    }
}
