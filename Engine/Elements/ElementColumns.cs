using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Sketch.Engine.Elements;

/// <summary>The element rows of a batch on their way into the log.</summary>
internal sealed class ElementColumns
{
    private readonly List<ulong> _distinctIds = [];
    private readonly List<UInt128> _hashes = [];
    private readonly List<ulong> _topIds = [];
    private readonly List<ulong> _itemIds = [];
    private readonly List<long> _itemDeltas = [];
    private readonly List<byte> _texts = [];
    private byte[] _payload = [];

    /// <summary>Rows of the kind distinct.</summary>
    public int DistinctCount => _hashes.Count;

    public bool IsEmpty => _hashes.Count == 0 && _itemIds.Count == 0;

    public ReadOnlySpan<ulong> DistinctIds => CollectionsMarshal.AsSpan(_distinctIds);

    public ReadOnlySpan<UInt128> Hashes => CollectionsMarshal.AsSpan(_hashes);

    public ReadOnlySpan<ulong> TopIds => CollectionsMarshal.AsSpan(_topIds);

    public ReadOnlySpan<ulong> ItemIds => CollectionsMarshal.AsSpan(_itemIds);

    public void Clear()
    {
        _distinctIds.Clear();
        _hashes.Clear();
        _topIds.Clear();
        _itemIds.Clear();
        _itemDeltas.Clear();
        _texts.Clear();
    }

    public void AddElement(ulong counterId, UInt128 hash)
    {
        _distinctIds.Add(counterId);
        _hashes.Add(hash);
    }

    public void AddItem(ulong counterId, ulong itemId, long delta, ReadOnlySpan<byte> item)
    {
        _topIds.Add(counterId);
        _itemIds.Add(itemId);
        _itemDeltas.Add(delta);
        Span<byte> length = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(length, (ushort)item.Length);
        _texts.AddRange(length);
        _texts.AddRange(item);
    }

    /// <summary>The payload for the log, valid until the columns are cleared.</summary>
    /// <param name="namespaceIndex">Whose they are.</param>
    /// <param name="keyId">What the elements were hashed with.</param>
    /// <param name="sums">The batch's increments payload.</param>
    public ReadOnlyMemory<byte> Encode(ushort namespaceIndex, ulong keyId, ReadOnlySpan<byte> sums)
    {
        int texts = ElementPayload.TextsOffset(sums.Length, _hashes.Count, _itemIds.Count);
        int length = texts + _texts.Count;
        if (_payload.Length < length)
        {
            _payload = new byte[Math.Max(length, _payload.Length * 2)];
        }

        Span<byte> into = _payload;
        ElementPayload.WriteHeader(into, namespaceIndex, _hashes.Count, _itemIds.Count, sums.Length, keyId);
        sums.CopyTo(into[ElementPayload.HeaderBytes..]);
        int columns = ElementPayload.ColumnsOffset(sums.Length);
        into[(ElementPayload.HeaderBytes + sums.Length)..columns].Clear();
        into = Write(into[columns..], MemoryMarshal.AsBytes(Hashes));
        into = Write(into, MemoryMarshal.AsBytes(DistinctIds));
        into = Write(into, MemoryMarshal.AsBytes(TopIds));
        into = Write(into, MemoryMarshal.AsBytes(ItemIds));
        into = Write(into, MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_itemDeltas)));
        Write(into, CollectionsMarshal.AsSpan(_texts));
        return _payload.AsMemory(0, length);
    }

    private static Span<byte> Write(Span<byte> into, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(into);
        return into[bytes.Length..];
    }
}
