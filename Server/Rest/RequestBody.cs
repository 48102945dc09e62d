using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;

namespace Sketch.Server.Rest;

/// <summary>A whole request body in one pooled buffer; dispose it when it was parsed.</summary>
internal readonly struct RequestBody : IDisposable
{
    /// <summary>The largest body that is read.</summary>
    public const int MaxBytes = 1 << 20;

    // A client that sends too much sees the answer only if we take the rest off its hands; beyond this it sees a closed connection.
    private const long MaxDrainedBytes = 64L << 20;
    private const int FirstBufferBytes = 4 << 10;

    private readonly byte[] _buffer;
    private readonly int _length;

    private RequestBody(byte[] buffer, int length)
    {
        _buffer = buffer;
        _length = length;
    }

    /// <summary>The bytes, until disposed.</summary>
    public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _length);

    /// <summary>The bytes, until disposed.</summary>
    public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(0, _length);

    /// <summary>Reads to the end.</summary>
    /// <exception cref="ProblemException">413, it is larger than <see cref="MaxBytes"/>; 415, it is compressed.</exception>
    public static async ValueTask<RequestBody> ReadAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        if (request.Headers.ContentEncoding is { Count: > 0 } encoding)
            throw new ProblemException(Problem.Of(415, "unsupported-encoding", "Unsupported encoding", "Content-Encoding", encoding.ToString(), "none"));

        // The limit is enforced here, where the answer can say more than the server's own.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = null;

        PipeReader reader = request.BodyReader;
        if (request.ContentLength > MaxBytes)
            throw await TooLargeAsync(context, request.ContentLength.Value).ConfigureAwait(false);

        byte[] buffer = ArrayPool<byte>.Shared.Rent((int?)request.ContentLength ?? FirstBufferBytes);
        int length = 0;
        try
        {
            while (true)
            {
                ReadResult read = await reader.ReadAsync(context.RequestAborted).ConfigureAwait(false);
                long total = length + read.Buffer.Length;
                if (total > MaxBytes)
                {
                    reader.AdvanceTo(read.Buffer.End);
                    throw await TooLargeAsync(context, total).ConfigureAwait(false);
                }

                if (total > buffer.Length)
                    Grow(ref buffer, length, (int)total);
                read.Buffer.CopyTo(buffer.AsSpan(length));
                length = (int)total;
                reader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                    return new RequestBody(buffer, length);
            }
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private static void Grow(ref byte[] buffer, int length, int needed)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, buffer.Length * 2));
        buffer.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }

    private static async Task<ProblemException> TooLargeAsync(HttpContext context, long atLeast)
    {
        string value = context.Request.ContentLength is { } exact ? $"{exact} bytes" : $"more than {atLeast - 1} bytes";
        long drained = 0;
        while (drained < MaxDrainedBytes)
        {
            ReadResult read = await context.Request.BodyReader.ReadAsync(context.RequestAborted).ConfigureAwait(false);
            drained += read.Buffer.Length;
            context.Request.BodyReader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                break;
        }

        return new ProblemException(Problem.Of(413, "body-too-large", "Body too large", "body", value, $"at most {MaxBytes} bytes; send several batches"));
    }
}
