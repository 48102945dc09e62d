using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Sketch.Sketches;

/// <summary>
/// The 128-bit secret that keys a sketch's hash, so that nobody who chooses the ids can choose who collides with whom.
/// Derived from a deployment's secret and a place in the log: every replica derives the same key, and what an attacker
/// learns about collisions in one window is worth nothing in the next.
/// </summary>
/// <param name="K0">The first half. Secret.</param>
/// <param name="K1">The second half. Secret.</param>
public readonly record struct SketchKey(ulong K0, ulong K1)
{
    /// <summary>
    /// Names the key without giving it away (the first 64 bits of a SHA-256 over it): stored with a sketch's bytes, so that
    /// sketches of different keys are never merged.
    /// </summary>
    public ulong KeyId
    {
        get
        {
            Span<byte> input = stackalloc byte[32];
            Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
            "sketch key id v1"u8.CopyTo(input);
            BinaryPrimitives.WriteUInt64LittleEndian(input[16..], K0);
            BinaryPrimitives.WriteUInt64LittleEndian(input[24..], K1);
            SHA256.HashData(input, digest);
            return BinaryPrimitives.ReadUInt64LittleEndian(digest);
        }
    }

    /// <summary>Derives a key with HKDF-SHA256 (RFC 5869).</summary>
    /// <param name="secret">The deployment's secret, at least 16 bytes.</param>
    /// <param name="purpose">What the key is for ("count-min", "distinct"): different purposes get unrelated keys.</param>
    /// <param name="log">Which log.</param>
    /// <param name="position">The place in the log, for instance a window's first position.</param>
    /// <exception cref="ArgumentException"><paramref name="secret"/> is shorter than 16 bytes.</exception>
    public static SketchKey Derive(ReadOnlySpan<byte> secret, string purpose, long log, long position)
    {
        ArgumentNullException.ThrowIfNull(purpose);
        if (secret.Length < 16)
            throw new ArgumentException($"secret is {secret.Length} bytes; allowed 16 or more", nameof(secret));

        // info = log (8) | position (8) | purpose: the fixed parts come first, so no two inputs share an encoding.
        byte[] info = new byte[16 + Encoding.UTF8.GetByteCount(purpose)];
        BinaryPrimitives.WriteInt64LittleEndian(info, log);
        BinaryPrimitives.WriteInt64LittleEndian(info.AsSpan(8), position);
        Encoding.UTF8.GetBytes(purpose, info.AsSpan(16));

        Span<byte> output = stackalloc byte[16];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, output, "sketch key v1"u8, info);
        return new SketchKey(BinaryPrimitives.ReadUInt64LittleEndian(output), BinaryPrimitives.ReadUInt64LittleEndian(output[8..]));
    }

    /// <summary>Names the key by its <see cref="KeyId"/>; the key itself must not reach a log or an error message.</summary>
    public override string ToString() => $"key {KeyId:x16}";
}
