using System.Buffers.Binary;
using System.Text;

namespace Sketch.Engine.Catalogue;

/// <summary>One name in a <see cref="NameTable"/>: flags (1 byte), namespace (2), length (2), UTF-8 bytes.</summary>
internal readonly struct NameEntry(byte[] chunk, int offset)
{
    public const int HeaderBytes = 5;

    private const byte DeclaredFlag = 1;
    private const byte DefinedFlag = 2;

    /// <summary>The log holds this name: batches need not carry it any more, and readers may see the counter.</summary>
    public bool IsDeclared => (Volatile.Read(ref chunk[offset]) & DeclaredFlag) != 0;

    /// <summary>The counter has a definition of its own.</summary>
    public bool IsDefined => (Volatile.Read(ref chunk[offset]) & DefinedFlag) != 0;

    public ushort NamespaceIndex => BinaryPrimitives.ReadUInt16LittleEndian(chunk.AsSpan(offset + 1));

    public ReadOnlySpan<byte> NameUtf8 =>
        chunk.AsSpan(offset + HeaderBytes, BinaryPrimitives.ReadUInt16LittleEndian(chunk.AsSpan(offset + 3)));

    public string Name => Encoding.UTF8.GetString(NameUtf8);

    public bool Is(ushort namespaceIndex, ReadOnlySpan<byte> nameUtf8) =>
        NamespaceIndex == namespaceIndex && NameUtf8.SequenceEqual(nameUtf8);

    // Only the fold sets flags, so that a plain read-modify-write is safe.
    public void Declare() => Volatile.Write(ref chunk[offset], (byte)(chunk[offset] | DeclaredFlag));

    public void Define() => Volatile.Write(ref chunk[offset], (byte)(chunk[offset] | DefinedFlag | DeclaredFlag));

    internal static void Write(Span<byte> into, ushort namespaceIndex, ReadOnlySpan<byte> name)
    {
        into[0] = 0;
        BinaryPrimitives.WriteUInt16LittleEndian(into[1..], namespaceIndex);
        BinaryPrimitives.WriteUInt16LittleEndian(into[3..], (ushort)name.Length);
        name.CopyTo(into[HeaderBytes..]);
    }
}
