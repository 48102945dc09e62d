using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Sketch.Realtime.Pages;

/// <summary>Gives every file of the built page its own route; a path that is none of them is left to the other routes.</summary>
internal static class DashboardPages
{
    private const string Index = "index.html";

    public static void Map(IEndpointRouteBuilder endpoints, string root)
    {
        string[] files = Directory.Exists(root) ? Directory.GetFiles(root, "*", SearchOption.AllDirectories) : [];
        foreach (string file in files)
        {
            string path = Path.GetRelativePath(root, file).Replace(Path.DirectorySeparatorChar, '/');
            var page = new DashboardFile(path, File.ReadAllBytes(file));
            MapGet(endpoints, "/" + path, page.SendAsync);
            if (path == Index)
                MapGet(endpoints, "/", page.SendAsync);
        }

        if (!File.Exists(Path.Combine(root, Index)))
            MapGet(endpoints, "/", context => NotBuiltAsync(context, root));
    }

    private static void MapGet(IEndpointRouteBuilder endpoints, string pattern, RequestDelegate answer) =>
        endpoints.MapMethods(pattern, [HttpMethods.Get, HttpMethods.Head], answer).ExcludeFromDescription();

    private static Task NotBuiltAsync(HttpContext context, string root)
    {
        SecurityHeaders.Add(context.Response.Headers);
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(
            $"The dashboard is not built: there is no {Index} in {root}.\n"
            + "Build it with `npm ci && npm run build --workspace Realtime/dashboard`, then build and start the server again.\n",
            context.RequestAborted);
    }
}
